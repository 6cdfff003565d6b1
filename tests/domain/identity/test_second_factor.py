"""Codes of authenticator apps and recovery codes, as the standards and our own rules have them."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus.adapters.passwords.factors import new_recovery_code, new_seed
from nexus.domain.identity.people import Role
from nexus.domain.identity.second_factor import (
    RECOVERY_ALPHABET,
    TypedCode,
    accepted_step,
    as_seed,
    as_text,
    enrolment_uri,
    hotp,
    step_at,
)
from nexus.domain.identity.sessions import RECENTLY, SignInTooOld, device_family, must_be_recent
from nexus.domain.platform.settings import choices

SEED = b"12345678901234567890"
"""The secret of the vectors in RFC 4226 and RFC 6238."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("counter", "code"),
    [
        (0, "755224"),
        (1, "287082"),
        (2, "359152"),
        (3, "969429"),
        (4, "338314"),
        (5, "254676"),
        (6, "287922"),
        (7, "162583"),
        (8, "399871"),
        (9, "520489"),
    ],
)
def test_codes_are_those_of_rfc_4226(counter, code):
    assert hotp(SEED, counter) == code


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds, code):
    """The vectors have eight digits, of which ours are the last six."""
    at = EPOCH + timedelta(seconds=seconds)
    assert hotp(SEED, step_at(at)) == code[-6:]
    assert accepted_step(SEED, code[-6:], at=at, last=0) == step_at(at)


def test_the_clocks_may_differ_by_one_step_and_not_more():
    """A code of the step that began at 12:00:00 counts from 11:59:30 until right before 12:01:00."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    code, step = hotp(SEED, step_at(noon)), step_at(noon)

    def accepted(at):
        return accepted_step(SEED, code, at=at, last=0)

    assert accepted(noon - timedelta(seconds=30) - MICROSECOND) is None
    assert accepted(noon - timedelta(seconds=30)) == step
    assert accepted(noon + timedelta(seconds=60) - MICROSECOND) == step
    assert accepted(noon + timedelta(seconds=60)) is None


@given(now=st.integers(2, 6), last=st.integers(0, 8), shown=st.integers(0, 8))
def test_only_a_later_step_than_the_last_is_accepted(now, last, shown):
    at = EPOCH + timedelta(seconds=30 * now)
    accepted = accepted_step(SEED, hotp(SEED, shown), at=at, last=last)
    assert accepted == (shown if shown > last and abs(shown - now) <= 1 else None)


@pytest.mark.parametrize("typed", ["", "28708", "2870822", "abcdef", "२८७०८२", "\x00" * 6, "\ud800"])
def test_what_is_no_code_of_an_app_is_taken_for_a_recovery_code(typed):
    code = TypedCode.of(typed)
    assert not code.is_of_an_app
    assert len(code.recovery_hash()) == 32
    assert accepted_step(SEED, "ü", at=EPOCH, last=0) is None


def test_codes_are_read_as_people_copy_them():
    assert TypedCode.of(" 287 082\n") == TypedCode.of("287082")
    assert TypedCode.of("287082").is_of_an_app
    one = "K7Q2M-9XHTR-4WVDN-PB6EC-3SYGA"
    for same in (one.lower(), one.replace("-", ""), one.replace("-", " "), f"  {one}\t"):
        assert TypedCode.of(same).recovery_hash() == TypedCode.of(one).recovery_hash()
    assert one not in repr(TypedCode.of(one))


def test_recovery_codes_have_125_bits_and_no_letter_that_is_mistaken():
    codes = {new_recovery_code() for _ in range(50)}
    assert len(codes) == 50
    for code in codes:
        assert [len(group) for group in code.split("-")] == [5] * 5
        assert set(code) <= set(RECOVERY_ALPHABET) | {"-"}
    assert len(set(RECOVERY_ALPHABET)) == 32
    assert not set("01IO") & set(RECOVERY_ALPHABET)


@given(st.binary(min_size=1, max_size=40))
def test_a_seed_survives_being_typed(seed):
    assert as_seed(as_text(seed)) == seed


def test_an_app_reads_the_address_of_a_factor():
    seed = new_seed()
    assert len(seed) == 20
    uri = urlsplit(enrolment_uri(seed, email="a+b&c@exämple.com"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path) == "/Nexus Family Pass:a+b&c@exämple.com"
    assert parse_qs(uri.query) == {
        "secret": [as_text(seed)],
        "issuer": ["Nexus Family Pass"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
    assert "+" not in uri.query, "apps read it as a plus"


def test_a_fresh_sign_in_is_ten_minutes_old_at_most():
    must_be_recent(EPOCH, at=EPOCH + RECENTLY)
    with pytest.raises(SignInTooOld):
        must_be_recent(EPOCH, at=EPOCH + RECENTLY + MICROSECOND)


def test_every_role_can_be_told_to_have_a_second_factor():
    assert choices("second_factor_required_roles") == tuple(role.value for role in Role)


FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (FIREFOX, "Firefox on Windows"),
        (CHROME, "Chrome on Linux"),
        (CHROME + " Edg/126.0.0.0", "Edge on Linux"),
        (SAFARI, "Safari on iPhone"),
        ("python-httpx/0.27", "Python"),
        ("Linux", "Linux"),
        ("<script>alert(1)</script>", None),
        ("", None),
        (None, None),
    ],
)
def test_a_device_is_told_coarsely(user_agent, device):
    assert device_family(user_agent) == device
