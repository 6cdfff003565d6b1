"""What every store promises about the audit log."""

from contextlib import contextmanager
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve

from nexus.application.compliance.ports import AuditFilter
from nexus.application.compliance.read_audit import (
    CannotBeOpened,
    NothingIsSealed,
    OpenAuditEntry,
    SearchAudit,
    ShowAuditEntry,
)
from nexus.application.identity.children import AddChild, ChangeChild
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.audit import Cause, Doer
from nexus.application.kernel.caller import NOBODY, PLATFORM, Caller, caller
from nexus.domain.compliance.audit import Action, Category, Deed, EntityType, Sealed, Severity
from nexus.domain.identity.families import ChildProfile
from nexus.domain.identity.people import Role
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId
from people import Stage

REASON = "the parent asks who changed it"


@pytest.fixture
def stage(any_begin):
    return Stage(any_begin)


@contextmanager
def calling(who: Caller):
    token = caller.set(who)
    try:
        yield
    finally:
        caller.reset(token)


def add(stage, *deeds, who=PLATFORM):
    with calling(who), stage.begin() as work:
        work.audit.add(*deeds)


def find(stage, *, after=None, limit=50, **wanted):
    """As the platform, which alone may read it."""
    with stage.begin() as work:
        return work.audit.page(AuditFilter(**wanted), after=after, limit=limit)


def test_an_entry_says_who_did_what_from_where_in_which_request(stage):
    actor = Actor(UserId(uuid4()), Role.HR_ADMIN, CompanyId(uuid4()), None, str(uuid4()), None, frozenset())
    thing, request = uuid4(), f"r-{uuid4()}"
    deed = Deed(Action.LEAVER_RECORDED, thing, old={"a": 1}, new={"a": 2})
    add(stage, deed, who=Caller(actor=actor, address="2001:db8::7", request_id=request))
    [entry] = find(stage, request_id=request)
    assert (entry.action, entry.category, entry.severity) == (
        "company.leaver_recorded", Category.COMPANY, Severity.INFO,
    )  # fmt: skip
    assert (entry.entity_type, entry.entity, entry.old, entry.new) == (
        EntityType.ACCOUNT, thing, {"a": 1}, {"a": 2},
    )  # fmt: skip
    assert (entry.cause, entry.user, entry.role, entry.company, entry.venue, entry.session) == (
        Cause.PERSON, actor.user, Role.HR_ADMIN, actor.company, None, actor.session,
    )  # fmt: skip
    assert (entry.address, entry.request_id, entry.is_sealed, entry.api_key) == (
        "2001:db8::7", request, False, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("who", "cause"),
    [
        (PLATFORM, Cause.PLATFORM),
        (NOBODY, Cause.NOBODY),
        (Caller(actor=Actor(UserId(uuid4()), Role.PARENT)), Cause.PERSON),
        (Caller(actor=Actor(UserId(uuid4()), Role.PARENT, key=uuid4())), Cause.API_KEY),
    ],
)
def test_the_cause_tells_people_keys_the_platform_and_strangers_apart(stage, who, cause):
    thing = uuid4()
    add(stage, Deed(Action.SIGNED_OUT, thing), who=who)
    [entry] = find(stage, entity=thing)
    assert entry.cause is cause
    assert entry.api_key == (who.actor.key if who.actor else None)


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("testclient", None),
        ("", None),
        ("203.0.113.7, 10.0.0.1", None),
        (None, None),
    ],
)
def test_only_addresses_are_kept_as_addresses(stated, kept):
    assert Doer.of(Caller(address=stated)).address == kept


def test_whoever_signs_in_is_who_did_it(stage):
    user = UserId(uuid4())
    add(stage, Deed(Action.SIGNED_IN, user, by=user), who=NOBODY)
    assert [entry.action for entry in find(stage, user=user)] == ["auth.signed_in"]


def _fail(work, thing):
    work.audit.add(Deed(Action.BOOKED, thing))
    raise ZeroDivisionError


def test_what_is_undone_was_not_done(stage):
    thing, other = uuid4(), uuid4()
    with pytest.raises(ZeroDivisionError), stage.begin() as work:
        _fail(work, thing)
    with stage.begin() as work:
        work.audit.add(Deed(Action.BOOKED, other))
        with pytest.raises(ZeroDivisionError), stage.begin() as inner:
            _fail(inner, thing)
    assert find(stage, entity=thing) == []
    assert len(find(stage, entity=other)) == 1


def test_each_filter_leaves_out_what_it_says(stage):
    mark = CompanyId(uuid4())
    venue, thing = VenueId(uuid4()), uuid4()
    actor = Actor(UserId(uuid4()), Role.PARENT, mark)
    add(stage, Deed(Action.BOOKED, thing, venue=venue), who=Caller(actor=actor, request_id="r" * 9))
    add(stage, Deed(Action.VENUE_SUSPENDED, uuid4(), company=mark))
    one, other = (entry.action for entry in find(stage, company=mark))
    assert (one, other) == ("venue.suspended", "booking.made")
    booked, suspended = find(stage, company=mark)[1], find(stage, company=mark)[0]
    for wanted in (
        {"user": actor.user},
        {"action": "booking.made"},
        {"category": Category.BOOKING},
        {"severity": Severity.INFO},
        {"cause": Cause.PERSON},
        {"entity_type": EntityType.BOOKING},
        {"entity": thing},
        {"venue": venue},
        {"request_id": "r" * 9},
        {"until": suspended.at},
    ):
        assert find(stage, **{"company": mark, **wanted}) == [booked], wanted
    assert find(stage, company=mark, since=suspended.at) == [suspended], "since counts"
    assert find(stage, company=mark, since=suspended.at + timedelta(microseconds=1)) == []


def test_pages_are_complete_and_the_newest_first(stage):
    mark = CompanyId(uuid4())
    things = [uuid4() for _ in range(7)]
    add(stage, *(Deed(Action.BOOKED, thing, company=mark) for thing in things[:4]))
    for thing in things[4:]:
        add(stage, Deed(Action.BOOKED, thing, company=mark))
    seen, after = [], None
    while page := find(stage, company=mark, after=after, limit=2):
        seen += page
        after = page[-1].at, page[-1].id
    assert [entry.entity for entry in seen] == things[::-1]
    assert find(stage, company=mark) == seen


@pytest.fixture
def changed(stage):
    """A child, and the entry that says that its name was changed."""
    parent = stage.user(company=stage.company())
    profile = ChildProfile(first_name="Mia", date_of_birth=date(2019, 5, 4), medical_notes="peanuts")
    # Ids of its own: the log keeps what earlier tests have done.
    child = AddChild(stage.begin, stage.now, uuid4, stage.vault)(profile, actor=parent)
    change = ChangeChild(stage.begin, stage.now, uuid4, stage.vault, stage.stands_down)
    change(
        child.id,
        actor=parent,
        expected_version=None,
        change=lambda profile: evolve(profile, first_name="Maya"),
    )
    return child, find(stage, entity=child.id)[0]


def opening(stage):
    return OpenAuditEntry(stage.begin, stage.now, stage.vault)


def test_what_is_said_of_a_child_is_sealed_and_opened_for_a_reason(stage, changed):
    child, entry = changed
    assert (entry.action, entry.is_sealed, entry.old, entry.new) == ("child.changed", True, None, None)
    opened = opening(stage)(entry.id, reason=REASON)
    assert (opened.entry, opened.old, opened.new) == (entry, {"first_name": "Mia"}, {"first_name": "Maya"})
    [told] = find(stage, entity=entry.id)
    assert (told.action, told.severity, told.new) == (
        "audit.entry_opened", Severity.WARNING, {"reason": REASON, "child": str(child.id)},
    )  # fmt: skip


def test_sealed_values_open_at_their_own_entry_only(stage, changed):
    child, entry = changed
    with stage.begin() as work:
        stored = work.audit.get(entry.id)
        moved = Sealed(entry=uuid4(), old=stored.old_sealed, new=stored.new_sealed)
        work.audit.add(Deed(Action.CHILD_CHANGED, child.id, sealed=moved))
    with pytest.raises(CannotBeOpened):
        opening(stage)(moved.entry, reason=REASON)
    assert find(stage, entity=moved.entry) == [], "nothing was opened"


@pytest.mark.parametrize("reason", ["", "because", " " * 20, "x" * 501])
def test_nothing_is_opened_without_a_reason(stage, changed, reason):
    _, entry = changed
    with pytest.raises(InvalidValue):
        opening(stage)(entry.id, reason=reason)


def test_what_was_destroyed_with_the_childs_key_stays_closed(stage, changed, request):
    child, entry = changed
    if "postgres" in request.node.name:
        request.getfixturevalue("owner").execute(
            "UPDATE child_keys SET key = NULL, destroyed_at = now() WHERE child_id = %s", [child.id]
        )
    else:
        request.getfixturevalue("world").child_keys[child.id] = None
    with pytest.raises(CannotBeOpened):
        opening(stage)(entry.id, reason=REASON)


def test_an_entry_in_clear_has_nothing_to_open(stage):
    thing = uuid4()
    add(stage, Deed(Action.BOOKED, thing))
    [entry] = find(stage, entity=thing)
    with pytest.raises(NothingIsSealed):
        opening(stage)(entry.id, reason=REASON)


def test_reading_is_recorded_with_what_was_asked(stage):
    thing, request = uuid4(), f"r-{uuid4()}"
    add(stage, Deed(Action.BOOKED, thing))
    with calling(Caller(is_platform=True, request_id=request)):
        [entry] = SearchAudit(stage.begin)(AuditFilter(entity=thing, severity=Severity.INFO))
        assert ShowAuditEntry(stage.begin)(entry.id) == entry
        with pytest.raises(NoSuchThing):
            ShowAuditEntry(stage.begin)(UUID(int=0))
    shown, searched = find(stage, request_id=request)
    assert (searched.action, searched.new) == (
        "audit.searched", {"asked": {"entity": str(thing), "severity": "info"}},
    )  # fmt: skip
    assert (shown.action, shown.entity) == ("audit.entry_shown", entry.id)
