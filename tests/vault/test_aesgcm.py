"""Sealed texts open only where they were sealed for, with the key that sealed them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus.adapters.vault.aesgcm import AesGcmVault
from nexus.application.kernel.vault import SealBroken
from nexus.entrypoints.settings import SettingError, Settings

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
HERE = "children/medical_notes/1"


@given(st.text())
def test_a_sealed_text_reads_back(text):
    vault = AesGcmVault(KEY)
    assert vault.open(vault.seal(text, context=HERE), context=HERE) == text


def test_the_same_text_is_sealed_differently_each_time_and_hides_it():
    vault = AesGcmVault(KEY)
    one, two = (vault.seal("peanuts", context=HERE) for _ in range(2))
    assert one != two
    assert b"peanuts" not in one


def test_any_changed_bit_another_place_or_another_key_breaks_the_seal():
    vault = AesGcmVault(KEY)
    sealed = vault.seal("peanuts", context=HERE)
    for bit in range(len(sealed) * 8):
        forged = bytearray(sealed)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            vault.open(bytes(forged), context=HERE)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            vault.open(sealed[:length], context=HERE)
    with pytest.raises(SealBroken):
        vault.open(sealed, context="children/medical_notes/2")
    with pytest.raises(SealBroken):
        AesGcmVault(OTHER).open(sealed, context=HERE)


def test_after_a_rotation_old_seals_still_open_and_new_ones_use_the_new_key():
    old = AesGcmVault(KEY).seal("peanuts", context=HERE)
    rotated = AesGcmVault(OTHER, former=[KEY])
    assert rotated.open(old, context=HERE) == "peanuts"
    with pytest.raises(SealBroken):
        AesGcmVault(KEY).open(rotated.seal("peanuts", context=HERE), context=HERE)


def test_a_key_is_32_bytes_in_base64():
    assert Settings.of({"NEXUS_SECRET_KEY": base64.b64encode(KEY).decode()}).secret_key == KEY
    for wrong in ("x", base64.b64encode(KEY[:31]).decode(), "ü" * 44):
        with pytest.raises(SettingError):
            Settings.of({"NEXUS_SECRET_KEY": wrong})
