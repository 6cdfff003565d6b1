"""The list of common passwords that ships with the product."""

from nexus.adapters.passwords.common import common_passwords
from nexus.domain.identity.credentials import SHORTEST
from nexus.domain.identity.passwords import chosen_password, folded
from nexus.entrypoints.demo import DEMO_PASSWORD


def test_it_has_thousands_each_folded_and_long_enough_to_be_chosen():
    common = common_passwords()
    assert len(common) > 15_000
    assert all(folded(one) == one and len(one) >= SHORTEST for one in common)
    assert {"password1234", "iloveyou", "qwertyuiop", "11111111", "trustno1"} <= common
    assert "correct horse battery staple" not in common


def test_whoever_looks_around_has_an_allowed_password():
    own = ("parent@demo.example", "Maya", "Demo")
    assert chosen_password(DEMO_PASSWORD, own=own, common=common_passwords())
