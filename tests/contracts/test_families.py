"""What every store promises about children and consent."""

from datetime import date

import pytest
from attrs import evolve

from nexus.application.identity.children import AddChild, ChangeChild, ListChildren, ShowChild
from nexus.application.identity.consents import ListConsents, RecordConsent
from nexus.domain.compliance.consent import ConsentMethod, Purpose
from nexus.domain.identity.families import ChildProfile, ChildStatus, EnergyLevel, NotAChild
from nexus.domain.kernel.errors import Invalid, InvalidValue, NoSuchThing, VersionMismatch
from people import Stage

KEPT, BOOKED = Purpose.DATA_COLLECTION, Purpose.ACTIVITY_BOOKING
PROFILE = ChildProfile(
    first_name=" Mia ",
    date_of_birth=date(2019, 5, 1),
    energy_level=EnergyLevel.BALANCED,
    interests=("music", "music", "High-Energy"),
    medical_notes="peanuts\nasthma",
)


@pytest.fixture
def stage(any_begin):
    return Stage(any_begin)


@pytest.fixture
def parent(stage):
    return stage.user(company=stage.company())


def add(stage, parent, profile=PROFILE):
    return AddChild(stage.begin, stage.now, stage.new_id, stage.vault)(profile, actor=parent)


def change(stage, parent, child, **more):
    use = ChangeChild(stage.begin, stage.now, stage.new_id, stage.vault, stage.stands_down)
    return use(child.id, actor=parent, **{"expected_version": None, **more})


def consent(stage, parent, child, **decisions):
    use = RecordConsent(stage.begin, stage.now, stage.new_id, stage.vault, stage.stands_down)
    return use(
        child.id,
        {Purpose(name): given for name, given in decisions.items()},
        actor=parent,
        text_version="2026-01",
        method=ConsentMethod.CHECKBOX,
        evidence={"address": "192.0.2.1"},
    )


def show(stage, parent, child):
    return ShowChild(stage.begin, stage.vault)(child.id, actor=parent)


def test_a_child_begins_as_a_draft_and_reads_back_as_it_was_described(stage, parent):
    child = add(stage, parent)
    assert show(stage, parent, child) == child
    assert (child.first_name, child.interests, child.status) == (
        "Mia",
        ("music", "high_energy"),
        ChildStatus.DRAFT,
    )
    assert child.medical_notes == "peanuts\nasthma"
    assert ListChildren(stage.begin, stage.vault)(actor=parent) == (child,)


def test_notes_are_sealed_in_the_store(stage, parent):
    child = add(stage, parent)
    with stage.begin() as work:
        stored = work.children.get(child.id, parent=parent.user)
    assert b"peanuts" not in stored.medical_notes
    assert "peanuts" not in repr(child) + repr(PROFILE)


@pytest.mark.parametrize(
    ("born", "fits"),
    [
        (date(2026, 3, 2), True),
        (date(2026, 3, 3), False),
        (date(2007, 3, 3), True),
        (date(2007, 3, 2), False),
    ],
)
def test_a_child_is_born_and_younger_than_nineteen(stage, parent, born, fits):
    profile = evolve(PROFILE, date_of_birth=born)
    if fits:
        assert add(stage, parent, profile).date_of_birth == born
    else:
        with pytest.raises(NotAChild):
            add(stage, parent, profile)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_name": " "},
        {"first_name": "x" * 101},
        {"first_name": "a\x00b"},
        {"interests": ["x" * 61]},
        {"interests": [str(number) for number in range(31)]},
        {"medical_notes": "x" * 4001},
    ],
)
def test_unusable_descriptions_are_refused(wrong):
    with pytest.raises(Invalid):
        evolve(PROFILE, **wrong)


@pytest.mark.parametrize("field", ["interests", "activities_to_avoid"])
def test_wishes_are_in_the_catalogues_words(stage, parent, field):
    child = add(stage, parent, evolve(PROFILE, **{field: (" Physical  contact", "PHYSICAL-CONTACT", "stem")}))
    assert getattr(child, field) == ("physical_contact", "stem")
    assert show(stage, parent, child) == child
    unknown = evolve(PROFILE, **{field: ("stem", "noise")})
    with pytest.raises(InvalidValue, match="physical_contact") as refused:
        add(stage, parent, unknown)
    assert refused.value.field == field
    with pytest.raises(InvalidValue):
        change(stage, parent, child, change=lambda _: unknown)
    assert show(stage, parent, child) == child


def test_children_of_others_do_not_exist(stage, parent):
    child = add(stage, parent)
    stranger = stage.user(company=stage.company("Other"))
    assert ListChildren(stage.begin, stage.vault)(actor=stranger) == ()
    for attempt in (
        lambda: show(stage, stranger, child),
        lambda: change(stage, stranger, child),
        lambda: consent(stage, stranger, child, data_collection=True),
        lambda: ListConsents(stage.begin)(child.id, actor=stranger),
    ):
        with pytest.raises(NoSuchThing):
            attempt()


def test_a_change_needs_the_version_that_was_read(stage, parent):
    child = add(stage, parent)
    changed = change(
        stage, parent, child, expected_version=1, change=lambda was: evolve(was, medical_notes=" ")
    )
    assert (changed.medical_notes, changed.version) == (None, 2)
    assert show(stage, parent, child) == changed
    with pytest.raises(VersionMismatch) as refused:
        change(stage, parent, child, expected_version=1)
    assert refused.value.members() == {"expected": 1, "actual": 2}
    with pytest.raises(NotAChild):
        change(stage, parent, child, change=lambda was: evolve(was, date_of_birth=date(2030, 1, 1)))


def test_consent_makes_a_child_active_and_its_withdrawal_a_draft(stage, parent):
    child = add(stage, parent)
    consents = consent(stage, parent, child, activity_booking=True)
    assert consents.standing == ()
    assert show(stage, parent, child).status is ChildStatus.DRAFT
    consents = consent(stage, parent, child, data_collection=True)
    assert consents.standing == (KEPT, BOOKED)
    assert show(stage, parent, child).status is ChildStatus.ACTIVE
    assert stage.stands_down.children == []
    consents = consent(stage, parent, child, data_collection=False)
    assert consents.standing == ()
    assert show(stage, parent, child).status is ChildStatus.DRAFT
    assert stage.stands_down.children == [child.id]
    assert consent(stage, parent, child, data_collection=True).standing == (KEPT,), "nothing is revived"
    history = ListConsents(stage.begin)(child.id, actor=parent).history
    assert [(each.purpose, each.given) for each in history] == [
        (BOOKED, True),
        (KEPT, True),
        (KEPT, False),
        (KEPT, True),
    ]


def test_only_losing_the_consent_to_book_takes_a_child_out(stage, parent):
    child = add(stage, parent)
    consent(stage, parent, child, data_collection=True, activity_booking=True, photo_sharing=True)
    consent(stage, parent, child, photo_sharing=False)
    assert stage.stands_down.children == []
    consent(stage, parent, child, activity_booking=False)
    assert stage.stands_down.children == [child.id]
    assert show(stage, parent, child).consents == (KEPT,)


def test_a_child_taken_off_the_pass_gives_up_its_places_and_can_come_back(stage, parent):
    child = add(stage, parent)
    consent(stage, parent, child, data_collection=True)
    assert change(stage, parent, child, takes_part=False).status is ChildStatus.DEACTIVATED
    assert stage.stands_down.children == [child.id]
    consent(stage, parent, child, activity_booking=True)
    assert show(stage, parent, child).status is ChildStatus.DEACTIVATED
    assert change(stage, parent, child, takes_part=True).status is ChildStatus.ACTIVE


def test_a_decision_names_a_purpose(stage, parent):
    with pytest.raises(InvalidValue):
        consent(stage, parent, add(stage, parent))
