"""Each use has keys of its own; what earlier ones sealed or keyed is still recognised."""

import base64

import pytest

from nexus.adapters.vault.aesgcm import AesGcmVault
from nexus.adapters.vault.keyring import KeyRing, Use, derived, fresh_key
from nexus.application.kernel.vault import SealBroken
from nexus.entrypoints.settings import SettingError, Settings

KEY, OTHER, OLDEST = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
HERE = "children/medical_notes/1"


def text_of(key):
    return base64.b64encode(key).decode()


def test_a_use_tells_nothing_about_another():
    keys = [derived(root, use) for root in (KEY, OTHER) for use in Use]
    assert len({*keys, KEY, OTHER}) == len(keys) + 2


def test_keys_are_derived_as_documented():
    """Another derivation would leave everything that is sealed unreadable."""
    known = "3e8e7c54"
    assert derived(KEY, Use.SEALING).hex()[:8] == known


def test_new_things_are_sealed_with_a_derived_key_and_old_ones_open():
    """The key itself sealed notes until keys were derived."""
    old = AesGcmVault(KEY).seal("peanuts", context=HERE)
    vault = KeyRing(KEY).vault
    assert vault.open(old, context=HERE) == "peanuts"
    with pytest.raises(SealBroken):
        AesGcmVault(KEY).open(vault.seal("peanuts", context=HERE), context=HERE)


def test_former_keys_open_what_they_sealed_in_either_way_and_seal_nothing():
    before = [AesGcmVault(OLDEST).seal("a", context=HERE), KeyRing(OTHER).vault.seal("b", context=HERE)]
    ring = KeyRing(KEY, [OTHER, OLDEST])
    assert [ring.vault.open(each, context=HERE) for each in before] == ["a", "b"]
    alone = KeyRing(KEY).vault
    assert alone.open(ring.vault.seal("c", context=HERE), context=HERE) == "c"
    for each in before:
        with pytest.raises(SealBroken):
            alone.open(each, context=HERE)


def test_every_key_has_a_name_by_what_it_sealed():
    ring = KeyRing(KEY, [OTHER, OLDEST])
    seen = {
        ring.names[vault.seal("", context=HERE)[:5]]
        for root in (KEY, OTHER, OLDEST)
        for vault in (KeyRing(root).vault, AesGcmVault(root))
    }
    assert seen == {
        "current",
        "current, underived",
        "former 1",
        "former 1, underived",
        "former 2",
        "former 2, underived",
    }
    assert len(ring.names) == 6


def test_fingerprints_are_keyed_by_the_first_and_recognised_by_all_api_keys_never_by_a_root():
    assert KeyRing(KEY, [OTHER]).keys_for(Use.FINGERPRINTS) == (
        derived(KEY, Use.FINGERPRINTS),
        derived(OTHER, Use.FINGERPRINTS),
        KEY,
        OTHER,
    )
    assert KeyRing(KEY, [OTHER]).keys_for(Use.API_KEYS) == tuple(
        derived(k, Use.API_KEYS) for k in (KEY, OTHER)
    )


def test_a_former_key_that_is_the_current_one_is_the_current_one():
    assert set(KeyRing(KEY, [KEY]).names.values()) == {"current", "current, underived"}


def test_a_key_is_32_bytes_in_base64():
    assert Settings.of({"NEXUS_SECRET_KEY": text_of(KEY)}).secret_key == KEY
    for wrong in ("x", text_of(KEY[:31]), "ü" * 44):
        with pytest.raises(SettingError):
            Settings.of({"NEXUS_SECRET_KEY": wrong})


def test_former_keys_are_separated_by_commas_and_never_shown():
    stated = Settings.of({"NEXUS_FORMER_KEYS": f"{text_of(OTHER)}, {text_of(OLDEST)}"})
    assert stated.former_keys == (OTHER, OLDEST)
    assert repr(OTHER) not in repr(stated)
    for wrong in (",", f"{text_of(KEY)},", f"{text_of(KEY)} {text_of(OTHER)}"):
        with pytest.raises(SettingError):
            Settings.of({"NEXUS_FORMER_KEYS": wrong})


def test_fresh_keys_are_keys_and_differ():
    one, two = fresh_key(), fresh_key()
    assert one != two
    assert Settings.of({"NEXUS_SECRET_KEY": one}).secret_key is not None
