"""API keys at each of their edges."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from nexus.domain.kernel.errors import InvalidValue
from nexus.domain.kernel.networks import address, network
from nexus.domain.platform.api_keys import (
    ALPHABET,
    LONGEST_LIFE,
    LONGEST_OVERLAP,
    PREFIX_ALPHABET,
    USUAL_LIFE,
    KeyEnded,
    KeyText,
    KeyType,
    LifeTooLong,
    new_key,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
TEXT = KeyText("abcd1234", "x" * 42 + "Y")


def key(**more):
    stated = {
        "id": UUID(int=1),
        "prefix": "abcd1234",
        "name": "Front desk",
        "description": None,
        "key_type": KeyType.INTEGRATION,
        "scopes": {"read:sessions"},
        "per_minute": 60,
        "per_day": 10_000,
        "networks": (),
        "expires_at": None,
        "at": NOON,
    }
    return new_key(**(stated | more))


# --- the text


def test_a_key_reads_as_it_was_written():
    assert len(TEXT.text) == 62
    assert TEXT.text.startswith("nxk_abcd1234_x")
    assert KeyText.read(TEXT.text) == TEXT


def test_the_checksum_is_crc32_in_six_letters():
    """For whoever writes a scanner: the rule is part of the format."""
    assert KeyText("00000000", "0" * 43).text == "nxk_00000000_" + "0" * 43 + "4DFxxq"


@given(place=st.integers(0, 61), letter=st.sampled_from(ALPHABET))
def test_a_key_with_one_letter_wrong_is_none(place, letter):
    wrong = TEXT.text[:place] + letter + TEXT.text[place + 1 :]
    assert (KeyText.read(wrong) == TEXT) == (wrong == TEXT.text)
    assert KeyText.read(wrong) in (TEXT, None)


@given(st.text(PREFIX_ALPHABET, min_size=8, max_size=8), st.text(ALPHABET, min_size=43, max_size=43))
def test_every_key_is_meant_and_read(prefix, secret):
    shown = KeyText(prefix, secret)
    assert KeyText.is_meant(shown.text)
    assert KeyText.read(shown.text) == shown


@pytest.mark.parametrize(
    "text",
    ["", "nxk_", TEXT.text[:-1], TEXT.text + "0", TEXT.text + "\n", " " + TEXT.text, TEXT.text.upper()],
)
def test_what_is_not_whole_is_no_key(text):
    assert KeyText.read(text) is None


@pytest.mark.parametrize("text", ["nxk_abcd1234", "xxk_abcd1234_z", "nxk_ABCD1234_z", "bearer"])
def test_other_tokens_are_not_meant_as_keys(text):
    assert not KeyText.is_meant(text)


def test_the_secret_shows_in_no_repr():
    assert TEXT.secret not in repr(TEXT)


# --- how long it lives


def test_a_key_lives_for_ninety_days_if_nothing_is_said():
    assert key().expires_at == NOON + USUAL_LIFE == NOON + timedelta(days=90)


def test_the_instant_of_its_end_is_not_its_own_any_more():
    made = key(expires_at=NOON + timedelta(hours=1))
    assert made.is_live(at=made.expires_at - TICK)
    assert not made.is_live(at=made.expires_at)


def test_a_year_at_most():
    assert key(expires_at=NOON + LONGEST_LIFE).expires_at == NOON + LONGEST_LIFE
    with pytest.raises(LifeTooLong) as refused:
        key(expires_at=NOON + LONGEST_LIFE + TICK)
    assert refused.value.latest == NOON + LONGEST_LIFE
    assert key(expires_at=NOON + TICK).is_live(at=NOON)
    with pytest.raises(InvalidValue):
        key(expires_at=NOON)


def test_a_revoked_key_is_worth_nothing_from_that_moment_and_keeps_its_first_reason():
    gone = key().revoked(at=NOON, by=UUID(int=7), reason=" Leaked. ")
    assert not gone.is_live(at=NOON)
    assert (gone.revoked_by, gone.revoke_reason) == (UUID(int=7), "Leaked.")
    assert gone.revoked(at=NOON + TICK, by=UUID(int=8), reason="Again.") == gone
    with pytest.raises(InvalidValue):
        key().revoked(at=NOON, by=UUID(int=7), reason="  ")


# --- what it may say of itself


@pytest.mark.parametrize(
    "more",
    [
        {"name": " "},
        {"name": "n" * 256},
        {"description": "d" * 2001},
        {"per_minute": 0},
        {"per_minute": 6001},
        {"per_day": 0},
        {"per_day": 100_001},
        {"networks": [network(f"10.0.0.{n}") for n in range(51)]},
    ],
)
def test_senseless_keys_are_refused(more):
    with pytest.raises(InvalidValue):
        key(**more)


def test_the_widest_key_is_allowed():
    networks = [network(f"10.0.0.{n}") for n in range(50)]
    made = key(
        name="n" * 255, description="d" * 2000, per_minute=6000, per_day=100_000, networks=networks * 2
    )
    assert made.networks == tuple(networks)


# --- rotation


def rotated(made, *, at, overlap):
    return made.rotated(successor=UUID(int=2), prefix="wxyz9876", overlap=overlap, at=at)


def test_the_old_key_ends_with_the_overlap_and_the_new_one_lives_as_long():
    made = key(scopes={"a", "b"}, per_minute=7, networks=[network("10.0.0.0/8")])
    later = NOON + timedelta(days=30)
    old, new = rotated(made, at=later, overlap=timedelta(hours=24))
    assert old == evolve(made, expires_at=later + timedelta(hours=24))
    assert new == evolve(
        made,
        id=UUID(int=2),
        prefix="wxyz9876",
        replaces=made.id,
        created_at=later,
        expires_at=later + USUAL_LIFE,
    )


def test_an_overlap_never_lengthens_a_life():
    made = key(expires_at=NOON + timedelta(hours=2))
    old, _ = rotated(made, at=NOON + timedelta(hours=1), overlap=timedelta(days=7))
    assert old.expires_at == made.expires_at


@pytest.mark.parametrize("overlap", [timedelta(0), LONGEST_OVERLAP])
def test_the_edges_of_the_overlap_are_allowed(overlap):
    old, new = rotated(key(), at=NOON, overlap=overlap)
    assert old.is_live(at=NOON) == bool(overlap)
    assert old.expires_at == NOON + overlap
    assert new.is_live(at=NOON)


@pytest.mark.parametrize("overlap", [-TICK, LONGEST_OVERLAP + TICK])
def test_beyond_the_edges_it_is_not(overlap):
    with pytest.raises(InvalidValue):
        rotated(key(), at=NOON, overlap=overlap)


def test_what_has_ended_is_not_rotated():
    made = key()
    rotated(made, at=made.expires_at - TICK, overlap=timedelta(0))
    with pytest.raises(KeyEnded):
        rotated(made, at=made.expires_at, overlap=timedelta(0))
    with pytest.raises(KeyEnded):
        rotated(made.revoked(at=NOON, by=UUID(int=7), reason="r"), at=NOON, overlap=timedelta(0))


# --- networks


@pytest.mark.parametrize(
    ("networks", "client", "admitted"),
    [
        ((), None, True),
        ((), "not an address", True),
        (["203.0.113.0/24"], "203.0.113.0", True),
        (["203.0.113.0/24"], "203.0.113.255", True),
        (["203.0.113.0/24"], "203.0.114.0", False),
        (["203.0.113.0/24"], "203.0.112.255", False),
        (["203.0.113.7"], "203.0.113.7", True),
        (["203.0.113.7"], "203.0.113.8", False),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", True),
        (["203.0.113.0/24"], "::ffff:203.0.114.9", False),
        (["::ffff:203.0.113.0/120"], "203.0.113.9", True),
        (["::ffff:203.0.113.0/120"], "::ffff:203.0.113.9", True),
        (["::ffff:203.0.113.0/120"], "203.0.114.9", False),
        (["2001:db8::/32"], "2001:db8:ffff::1", True),
        (["2001:db8::/32"], "2001:db9::", False),
        (["fe80::/10"], "fe80::1%eth0", True),
        (["0.0.0.0/0"], "198.51.100.1", True),
        (["0.0.0.0/0"], "2001:db8::1", False),
        (["::/0"], "198.51.100.1", False),
        (["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
        (["10.0.0.0/8"], None, False),
        (["10.0.0.0/8"], "testclient", False),
        (["10.0.0.0/8"], "10.0.0.1, 203.0.113.9", False),
    ],
)
def test_where_it_is_accepted_from(networks, client, admitted):
    assert key(networks=[network(each) for each in networks]).admits(client) is admitted


@pytest.mark.parametrize(
    "text",
    ["", "anywhere", "10.0.0.1/8", "10.0.0.0/33", "010.0.0.1", "fe80::1%eth0", "2001:db8::1/32", "10/8"],
)
def test_mistyped_networks_are_refused(text):
    with pytest.raises(InvalidValue):
        network(text)


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_mapped_address_is_the_address(client, length):
    allowed = network(f"{client}/32").supernet(new_prefix=length)
    assert address(f"::ffff:{client}") == client
    assert key(networks=[allowed]).admits(f"::ffff:{client}")
