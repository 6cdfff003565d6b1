"""What every store promises about sealed notes and the keys of children."""

from datetime import date

import pytest
from attrs import evolve

from nexus.adapters.vault.aesgcm import AesGcmVault
from nexus.application.identity.children import AddChild, ChangeChild, ListChildren, ShowChild
from nexus.application.identity.consents import RecordConsent
from nexus.application.identity.sealing import UNREADABLE
from nexus.application.kernel.vault import SealBroken, place, place_of_key
from nexus.domain.compliance.consent import ConsentMethod, Purpose
from nexus.domain.identity.families import ChildProfile
from people import Stage

PROFILE = ChildProfile(first_name="Mia", date_of_birth=date(2019, 5, 1), medical_notes="peanuts")


@pytest.fixture
def stage(any_begin):
    return Stage(any_begin)


@pytest.fixture
def parent(stage):
    return stage.user(company=stage.company())


def add(stage, parent, **described):
    use = AddChild(stage.begin, stage.now, stage.new_id, stage.vault)
    return use(evolve(PROFILE, **described), actor=parent)


def show(stage, parent, child):
    return ShowChild(stage.begin, stage.vault)(child.id, actor=parent)


def change(stage, parent, child, **described):
    use = ChangeChild(stage.begin, stage.now, stage.new_id, stage.vault, stage.stands_down)
    return use(
        child.id, actor=parent, expected_version=None, change=lambda profile: evolve(profile, **described)
    )


def stored(stage, parent, child):
    with stage.begin() as work:
        return work.children.get(child.id, parent=parent.user)


def break_seal(stage, parent, child):
    found = stored(stage, parent, child)
    with stage.begin() as work:
        work.children.save(evolve(found, medical_notes=found.medical_notes[:-1]))


def destroy_key(request, child):
    """As erasure will: the key goes, the fact that there was one stays."""
    if "postgres" in request.node.name:
        request.getfixturevalue("owner").execute(
            "UPDATE child_keys SET key = NULL, destroyed_at = now() WHERE child_id = %s", [child.id]
        )
    else:
        request.getfixturevalue("world").child_keys[child.id] = None


def put_keys(request, keys):
    """As somebody would who can write to the store."""
    for child, key in keys.items():
        if "postgres" in request.node.name:
            request.getfixturevalue("owner").execute(
                "UPDATE child_keys SET key = %s WHERE child_id = %s", [key, child]
            )
        else:
            request.getfixturevalue("world").child_keys[child] = key


def test_notes_are_sealed_under_the_childs_own_key(stage, parent):
    one, other = (stored(stage, parent, add(stage, parent)) for _ in range(2))
    assert one.key != other.key
    here, own = place("children", "medical_notes", one.id), place_of_key(one.id)
    assert stage.vault.under(one.key, context=own).open(one.medical_notes, context=here) == "peanuts"
    for wrong in (stage.vault, stage.vault.under(other.key, context=place_of_key(other.id))):
        with pytest.raises(SealBroken):
            wrong.open(one.medical_notes, context=here)


def test_a_child_keeps_the_key_that_it_was_given_first(stage, parent):
    child = add(stage, parent, medical_notes=None)
    key = stored(stage, parent, child).key
    assert key is not None
    change(stage, parent, child, medical_notes="asthma")
    assert show(stage, parent, child).medical_notes == "asthma"
    change(stage, parent, child, medical_notes="asthma, pollen")
    assert stored(stage, parent, child).key == key


def test_whoever_asks_for_a_key_gets_the_one_that_stands(stage, parent):
    child = add(stage, parent)
    first = stored(stage, parent, child).key
    with stage.begin() as work:
        assert work.child_keys.give(child.id, b"second", at=stage.at) == first


def test_without_its_key_nothing_of_a_child_is_read_and_its_siblings_are(stage, parent, request):
    mia, ben = add(stage, parent), add(stage, parent, first_name="Ben")
    assert show(stage, parent, mia).medical_notes == "peanuts"
    destroy_key(request, mia)
    listed = ListChildren(stage.begin, stage.vault)(actor=parent)
    assert [(child.medical_notes, child.medical_notes_unreadable) for child in listed] == [
        (UNREADABLE, True),
        ("peanuts", False),
    ]
    assert show(stage, parent, ben).medical_notes == "peanuts"


@pytest.mark.parametrize("with_keys", [False, True])
def test_notes_moved_to_another_child_are_unreadable_with_and_without_their_key(
    stage, parent, request, with_keys
):
    one, other = add(stage, parent), add(stage, parent, medical_notes="asthma")
    found = [stored(stage, parent, child) for child in (one, other)]
    with stage.begin() as work:
        for child, source in zip(found, reversed(found), strict=True):
            work.children.save(evolve(child, medical_notes=source.medical_notes))
    if with_keys:
        put_keys(request, {found[0].id: found[1].key, found[1].id: found[0].key})
    shown = [show(stage, parent, child) for child in (one, other)]
    assert [child.medical_notes for child in shown] == [UNREADABLE, UNREADABLE]


def test_a_destroyed_key_is_never_followed_by_another(stage, parent, request):
    child = add(stage, parent)
    destroy_key(request, child)
    with stage.begin() as work, pytest.raises(SealBroken):
        work.child_keys.give(child.id, stage.vault.new_key(context=place_of_key(child.id)), at=stage.at)
    with pytest.raises(SealBroken):
        change(stage, parent, child, medical_notes="asthma")
    assert change(stage, parent, child, first_name="Mo").first_name == "Mo"


def test_a_change_of_something_else_keeps_unreadable_notes_as_they_are_stored(stage, parent):
    child = add(stage, parent)
    break_seal(stage, parent, child)
    before = stored(stage, parent, child).medical_notes
    assert change(stage, parent, child, first_name="Mo").medical_notes_unreadable
    change(stage, parent, child, medical_notes=UNREADABLE)
    assert stored(stage, parent, child).medical_notes == before


def test_unreadable_notes_can_be_written_again_or_removed(stage, parent):
    child = add(stage, parent)
    break_seal(stage, parent, child)
    again = change(stage, parent, child, medical_notes="asthma")
    assert (again.medical_notes, again.medical_notes_unreadable) == ("asthma", False)
    assert show(stage, parent, child) == again
    break_seal(stage, parent, child)
    assert change(stage, parent, child, medical_notes=None).medical_notes is None
    assert stored(stage, parent, child).medical_notes is None


def test_consent_is_withdrawn_whether_or_not_the_notes_can_be_read(stage, parent):
    child = add(stage, parent)
    break_seal(stage, parent, child)
    before = stored(stage, parent, child).medical_notes
    record = RecordConsent(stage.begin, stage.now, stage.new_id, stage.vault, stage.stands_down)
    for given in (True, False):
        record(
            child.id,
            {Purpose.DATA_COLLECTION: given},
            actor=parent,
            text_version="1",
            method=ConsentMethod.CHECKBOX,
        )
    assert stored(stage, parent, child).consents == frozenset()
    assert stored(stage, parent, child).medical_notes == before


def test_notes_sealed_before_children_had_keys_still_open(stage, parent):
    child = add(stage, parent, medical_notes=None)
    old = stage.vault.seal("peanuts", context=place("children", "medical_notes", child.id))
    with stage.begin() as work:
        work.children.save(evolve(work.children.get(child.id, parent=parent.user), medical_notes=old))
    assert show(stage, parent, child).medical_notes == "peanuts"
    change(stage, parent, child, medical_notes="asthma")
    assert show(stage, parent, child).medical_notes == "asthma"
    assert stored(stage, parent, child).key is not None


def test_a_wrong_installation_key_reads_as_unreadable(stage, parent):
    child = add(stage, parent)
    found = ShowChild(stage.begin, AesGcmVault(bytes(range(32))))(child.id, actor=parent)
    assert (found.medical_notes, found.medical_notes_unreadable) == (UNREADABLE, True)
