"""Which passwords may be chosen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus.domain.identity.credentials import UnacceptablePassword
from nexus.domain.identity.passwords import GuessablePassword, Weakness, chosen_password, folded

COMMON = frozenset({"password1", "straße99"})
ADA = ("ada.lind@acme.example", "Ada", "Lind")


def chosen(password, own=ADA):
    return chosen_password(password, own=own, common=COMMON)


@pytest.mark.parametrize(
    "password", ["password1", "PassWord1", " password1 ", "ｐａｓｓｗｏｒｄ１", "STRASSE99", "Straße99"]
)
def test_a_common_password_is_refused_however_it_is_written(password):
    common = frozenset(map(folded, COMMON))
    with pytest.raises(GuessablePassword) as refused:
        chosen_password(password, own=(), common=common)
    assert refused.value.members() == {"reason": Weakness.COMMON}


@pytest.mark.parametrize(
    "password",
    [
        "ada.lind@acme.example",
        "ADA.LIND@ACME.EXAMPLE!",
        "AdaLind2026!",
        "ada-ada-ada-ada",
        "1234567 Lind",
        "acme-acme-acme",
        "NexusFamilyPass",
        "nexus nexus 1",
        "Family-Pass-2026",
    ],
)
def test_one_s_own_words_do_not_make_a_password(password):
    with pytest.raises(GuessablePassword) as refused:
        chosen(password)
    assert refused.value.members() == {"reason": Weakness.OWN_WORDS}


@pytest.mark.parametrize(
    "password",
    [
        "12345678 Lind",  # eight others are enough
        "a very long secret of Ada",
        "correct horse battery staple",
        "?!?!?!?!",  # no letters at all, and none of ours
        "family8!",
        "日本語日本語日本",
    ],
)
def test_a_word_of_one_s_own_does_no_harm_beside_a_password(password):
    assert chosen(password) == password


def test_two_letters_are_part_of_too_many_words():
    assert chosen("Bo and Li", own=("Bo", "Li")) == "Bo and Li"


def test_what_is_left_is_not_put_together_anew():
    assert chosen("lAdaind87654321") == "lAdaind87654321"
    with pytest.raises(GuessablePassword):
        chosen("liAdand765")


def test_length_comes_first():
    with pytest.raises(UnacceptablePassword):
        chosen("Ada")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=20))
def test_without_words_of_one_s_own_only_common_ones_are_refused(password):
    try:
        found = chosen_password(password, own=(), common=frozenset())
    except GuessablePassword:
        assert "nexus" in folded(password) or "pass" in folded(password)
    except UnacceptablePassword:
        pass  # composed, it is shorter
    else:
        assert folded(found) == folded(password)
