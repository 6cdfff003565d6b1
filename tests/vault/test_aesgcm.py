"""Sealed texts open only where they were sealed for, with the key that sealed them."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus.adapters.vault.aesgcm import AesGcmVault, mark
from nexus.application.kernel.vault import SealBroken

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
HERE = "children/medical_notes/1"
OWN = "child_keys/key/1"

any_text = st.text(st.characters(exclude_categories=()))
"""Lone surrogates included."""


def directly(vault):
    return vault


def under_a_stored_key(vault, context=OWN):
    return vault.under(vault.new_key(context=context), context=context)


both_ways = pytest.mark.parametrize("way", [directly, under_a_stored_key])


@both_ways
@given(text=any_text)
def test_a_sealed_text_reads_back(way, text):
    seals = way(AesGcmVault(KEY))
    assert seals.open(seals.seal(text, context=HERE), context=HERE) == text


@both_ways
def test_the_same_text_is_sealed_differently_each_time_and_hides_it(way):
    seals = way(AesGcmVault(KEY))
    one, two = (seals.seal("peanuts", context=HERE) for _ in range(2))
    assert one != two
    assert b"peanuts" not in one


@both_ways
def test_any_changed_bit_another_length_or_another_place_breaks_the_seal(way):
    seals = way(AesGcmVault(KEY))
    sealed = seals.seal("peanuts", context=HERE)
    for bit in range(len(sealed) * 8):
        forged = bytearray(sealed)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            seals.open(bytes(forged), context=HERE)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            seals.open(sealed[:length], context=HERE)
    with pytest.raises(SealBroken):
        seals.open(sealed + b"\x00", context=HERE)


PLACES = [HERE, "children/medical_notes/2", "children/notes/1", "siblings/medical_notes/1", ""]


@both_ways
@pytest.mark.parametrize(("sealed_for", "opened_at"), list(permutations(PLACES, 2)))
def test_another_row_column_or_table_breaks_the_seal(way, sealed_for, opened_at):
    seals = way(AesGcmVault(KEY))
    with pytest.raises(SealBroken):
        seals.open(seals.seal("peanuts", context=sealed_for), context=opened_at)


@given(text=any_text, where=st.integers(0), change=st.integers(1, 255))
def test_a_changed_byte_anywhere_breaks_the_seal_of_any_text_or_key(text, where, change):
    vault = AesGcmVault(KEY)
    key = vault.new_key(context=OWN)
    sealed = vault.under(key, context=OWN).seal(text, context=HERE)
    for changed_key, changed in (
        (key, _changed(sealed, where, change)),
        (_changed(key, where, change), sealed),
    ):
        with pytest.raises(SealBroken):
            vault.under(changed_key, context=OWN).open(changed, context=HERE)


def _changed(sealed, where, change):
    at = where % len(sealed)
    return sealed[:at] + bytes([sealed[at] ^ change]) + sealed[at + 1 :]


def test_another_key_does_not_open():
    sealed = AesGcmVault(KEY).seal("peanuts", context=HERE)
    with pytest.raises(SealBroken):
        AesGcmVault(OTHER).open(sealed, context=HERE)


def test_a_stored_key_opens_only_what_was_sealed_under_it():
    vault = AesGcmVault(KEY)
    mine, siblings = under_a_stored_key(vault), under_a_stored_key(vault)
    sealed = mine.seal("peanuts", context=HERE)
    for wrong in (siblings, vault, vault.under(None, context=OWN)):
        with pytest.raises(SealBroken):
            wrong.open(sealed, context=HERE)


def test_a_stored_key_opens_only_at_its_own_place():
    vault = AesGcmVault(KEY)
    key = vault.new_key(context=OWN)
    sealed = vault.under(key, context=OWN).seal("peanuts", context=HERE)
    with pytest.raises(SealBroken):
        vault.under(key, context="child_keys/key/2").open(sealed, context=HERE)


def test_a_text_is_no_key():
    vault = AesGcmVault(KEY)
    with pytest.raises(SealBroken):
        vault.under(vault.seal("x" * 31, context=OWN), context=OWN).seal("peanuts", context=HERE)


def test_nothing_is_sealed_under_a_key_that_is_gone():
    with pytest.raises(SealBroken):
        AesGcmVault(KEY).under(None, context=OWN).seal("peanuts", context=HERE)


def test_what_was_sealed_before_there_were_stored_keys_still_opens_with_or_without_one():
    vault = AesGcmVault(KEY)
    sealed = vault.seal("peanuts", context=HERE)
    assert under_a_stored_key(vault).open(sealed, context=HERE) == "peanuts"
    assert vault.under(None, context=OWN).open(sealed, context=HERE) == "peanuts"


def test_after_a_rotation_old_seals_still_open_and_new_ones_use_the_new_key():
    old = AesGcmVault(KEY).seal("peanuts", context=HERE)
    rotated = AesGcmVault(OTHER, former=[KEY])
    assert rotated.open(old, context=HERE) == "peanuts"
    with pytest.raises(SealBroken):
        AesGcmVault(KEY).open(rotated.seal("peanuts", context=HERE), context=HERE)


def test_moving_to_the_current_key_needs_no_former_one_afterwards():
    old = AesGcmVault(KEY)
    key, note = old.new_key(context=OWN), old.seal("peanuts", context=HERE)
    below = old.under(key, context=OWN).seal("asthma", context=HERE)
    rotated, alone = AesGcmVault(OTHER, former=[KEY]), AesGcmVault(OTHER)
    moved = rotated.reseal(key, context=OWN)
    assert alone.open(rotated.reseal(note, context=HERE), context=HERE) == "peanuts"
    assert alone.under(moved, context=OWN).open(below, context=HERE) == "asthma"
    for gone in (note, key):
        with pytest.raises(SealBroken):
            alone.open(gone, context=HERE)
    assert moved.startswith(alone.mark)


def test_keys_that_their_ids_cannot_tell_apart_are_refused():
    by_mark, number = {}, 0
    while (key := number.to_bytes(32, "big")) and mark(key) not in by_mark:
        by_mark[mark(key)], number = key, number + 1
    with pytest.raises(ValueError, match="key id"):
        AesGcmVault(key, former=[by_mark[mark(key)]])
    assert AesGcmVault(KEY, former=[KEY, OTHER, OTHER]).mark == mark(KEY)
