"""What happens when many want the same thing at the same moment, with real threads on PostgreSQL."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from time import monotonic
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from nexus.adapters.postgres import places
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.invariants import verify
from nexus.adapters.postgres.pool import open_pool
from nexus.application.booking.stand_down import StandDown
from nexus.application.booking.views import BookingView
from nexus.domain.booking.bookings import BookingEnded
from nexus.domain.booking.sessions import SessionFull
from nexus.domain.booking.waitlist import EntryStatus
from nexus.domain.booking.wishes import AlreadyBooked, ConsentMissing, OverlappingBooking
from nexus.domain.kernel.errors import Refusal
from nexus.domain.kernel.ids import ChildId, SessionId
from tests.support.booking import Desk
from tests.support.passer import Passer
from tests.support.town import NOON, Family, Town

THREADS = 16
HOUR = timedelta(hours=1)

UNCHECKED = "I16a"
"""The history of consent, which the families of a :class:`Town` do not have."""


@pytest.fixture(scope="module")
def crowd(database_url: str) -> Iterator[ConnectionPool]:
    """Connections enough for every thread."""
    with open_pool(database_url, size=THREADS) as connections:
        yield connections


@pytest.fixture
def town(begin: PostgresBegin, owner: psycopg.Connection) -> Town:
    return Town(owner)


@pytest.fixture
def desk(begin: PostgresBegin, crowd: ConnectionPool) -> Desk:
    return Desk(PostgresBegin(crowd))


def at_once(tasks: Sequence[Callable[[], Any]], *, threads: int = THREADS) -> list[Any]:
    """Run them on so many threads that start together; a refusal is a result, any other error is one of the test."""
    gate = Barrier(min(threads, len(tasks)))

    def run(task: Callable[[], Any], waits: bool) -> Any:
        if waits:
            gate.wait(timeout=30)
        try:
            return task()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(gate.parties) as pool:
        futures = [pool.submit(run, task, i < gate.parties) for i, task in enumerate(tasks)]
        return [future.result(timeout=60) for future in futures]


def kinds(results: Sequence[Any]) -> Counter[type]:
    return Counter(type(result) for result in results)


def check(town: Town, *, at: datetime = NOON) -> None:
    """Every invariant, recounted."""
    findings = verify(town.owner, at=at, last_offer=HOUR)
    offences = {each.invariant.promise: each.rows for each in findings if each.invariant.number != UNCHECKED}
    assert {promise: rows for promise, rows in offences.items() if rows} == {}


def book(town: Town, desk: Desk, session: SessionId, family: Family) -> Callable[[], Any]:
    return lambda: desk.book(session, tuple(family.children), parent=family.parent, company=town.company)


def booked(town: Town, desk: Desk, session: SessionId, family: Family) -> BookingView:
    return book(town, desk, session, family)()[0]  # type: ignore[no-any-return]


def withdraw(town: Town, desk: Desk, family: Family, child: ChildId) -> None:
    """What giving up the consent does, apart from its history."""
    with desk.begin() as work:
        work.connection.execute("SELECT FROM children WHERE id = %s FOR UPDATE", [child])
        work.connection.execute("UPDATE children SET consents = '{data_collection}' WHERE id = %s", [child])
        StandDown(uuid4)(work, child, parent=family.parent, reason="consent_withdrawn", at=desk.at)


def five_hundred_for_twenty(town: Town, desk: Desk) -> Counter[type]:
    session = town.session(seats=20)
    families = [town.family() for _ in range(500)]
    return kinds(at_once([book(town, desk, session, family) for family in families]))


def test_500_families_share_20_seats(town: Town, desk: Desk) -> None:
    """Exactly twenty get one and pay; nobody pays without a seat."""
    began = monotonic()
    results = five_hundred_for_twenty(town, desk)
    assert results == {tuple: 20, SessionFull: 480}
    assert monotonic() - began < 30
    check(town)
    assert town.one("SELECT booked_count FROM activity_sessions") == 20
    assert town.one("SELECT count(*) FROM bookings WHERE status = 'confirmed'") == 20
    assert town.one("SELECT count(*) FROM credit_ledger WHERE transaction_type = 'booking_debit'") == 20
    assert town.one("SELECT count(*) FROM user_credit_balances WHERE credits_available <> 10") == 20


def test_without_the_guard_the_last_line_of_defence_is_reached(
    town: Town, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the race is real, and only the CHECK constraint stops it then."""
    unguarded = places.PLACE.replace("AND booked_count + held_count + %(seats)s <= sellable", "")
    assert unguarded != places.PLACE
    monkeypatch.setattr(places, "PLACE", unguarded)
    with pytest.raises(psycopg.errors.CheckViolation, match="never_oversold"):
        five_hundred_for_twenty(town, desk)


def test_one_child_is_booked_once_however_often_its_parent_clicks(town: Town, desk: Desk) -> None:
    session, family = town.session(), town.family(credits=10)
    results = kinds(at_once([book(town, desk, session, family)] * THREADS))
    assert results == {tuple: 1, AlreadyBooked: THREADS - 1}
    check(town)


def test_one_child_is_in_one_place_at_a_time(town: Town, desk: Desk) -> None:
    sessions = [town.session(price=1) for _ in range(THREADS)]
    family = town.family(credits=50)
    results = kinds(at_once([book(town, desk, session, family) for session in sessions]))
    assert results == {tuple: 1, OverlappingBooking: THREADS - 1}
    check(town)


def test_a_balance_is_not_spent_twice(town: Town, desk: Desk) -> None:
    family = town.family(children=8, credits=5)
    sessions = [town.session(starts_at=NOON + timedelta(days=3, hours=2 * i)) for i in range(8)]
    tasks = [
        lambda s=session, c=child: desk.book(s, (c,), parent=family.parent, company=town.company)
        for session, child in zip(sessions, family.children, strict=True)
    ]
    assert kinds(at_once(tasks))[tuple] == 2
    check(town)


def test_siblings_get_the_last_seats_together_or_not_at_all(town: Town, desk: Desk) -> None:
    session = town.session(seats=7, price=1)
    families = [town.family(children=1 + i % 3) for i in range(24)]
    at_once([book(town, desk, session, family) for family in families])
    check(town)
    for family in families:
        got = town.one("SELECT count(*) FROM bookings WHERE booked_by = %s", family.parent)
        assert got in {0, len(family.children)}


def test_a_freed_seat_makes_one_offer(town: Town, desk: Desk) -> None:
    """While others cancel twice, join and sweep at the same moment."""
    session = town.session(seats=2)
    first, second = town.family(), town.family()
    places_ = [booked(town, desk, session, first), booked(town, desk, session, second)]
    waiting = [town.family() for _ in range(4)]
    for family in waiting:
        desk.join(session, tuple(family.children), parent=family.parent)
    late = [town.family() for _ in range(4)]
    tasks: list[Callable[[], Any]] = [
        *[lambda: desk.cancel(places_[0].id, parent=first.parent)] * 4,
        *[lambda f=family: desk.join(session, tuple(f.children), parent=f.parent) for family in late],
        *[desk.sweep] * 4,
        *[book(town, desk, session, family) for family in late],
    ]
    results = at_once(tasks)
    assert kinds(results[:4]) == {tuple: 1, BookingEnded: 3}
    check(town)
    assert town.one("SELECT count(*) FROM waitlist WHERE status = 'offered'") == 1
    assert town.one("SELECT user_id FROM waitlist WHERE status = 'offered'") == waiting[0].parent
    assert (
        town.one("SELECT count(*) FROM outbox WHERE payload::text LIKE '%%offered%%' OR type = 'OfferMade'")
        <= 1
    )


def test_a_place_is_given_up_once_and_paid_back_once(town: Town, desk: Desk) -> None:
    session, family = town.session(), town.family()
    place = booked(town, desk, session, family)
    results = kinds(at_once([lambda: desk.cancel(place.id, parent=family.parent)] * THREADS))
    assert results == {tuple: 1, BookingEnded: THREADS - 1}
    check(town)
    assert town.one("SELECT credits_available FROM user_credit_balances") == 10


def test_either_the_child_came_or_the_venue_took_the_place_away(town: Town, desk: Desk) -> None:
    session = town.session()
    families = [town.family() for _ in range(8)]
    taken = [booked(town, desk, session, family) for family in families]
    desk.at = NOON + timedelta(days=7, minutes=30)
    tasks: list[Callable[[], Any]] = []
    for place in taken:
        tasks += [
            lambda p=place: desk.mark(p.id, venue=town.venue, by=families[0].parent, present=False),
            lambda p=place: desk.take_away(p.id, venue=town.venue, by=families[0].parent),
        ]
    results = at_once(tasks)
    for i in range(0, len(tasks), 2):
        assert sum(isinstance(each, BookingEnded) for each in results[i : i + 2]) == 1
    check(town)


def test_completing_and_cancelling_never_wait_for_each_other_in_a_circle(town: Town, desk: Desk) -> None:
    sessions = [town.session(price=1) for _ in range(6)]
    families = [town.family() for _ in range(18)]
    taken = [booked(town, desk, sessions[i % 6], family) for i, family in enumerate(families)]
    desk.at = NOON + timedelta(days=9)
    tasks: list[Callable[[], Any]] = [
        lambda p=place: desk.take_away(p.id, venue=town.venue, by=families[0].parent) for place in taken
    ]
    at_once([each for pair in zip(tasks, [desk.complete] * len(tasks), strict=True) for each in pair])
    desk.complete()
    check(town)
    assert town.one("SELECT count(*) FROM bookings WHERE status = 'confirmed'") == 0


@pytest.mark.parametrize("late", [timedelta(0), timedelta(microseconds=-1)])
def test_an_offer_is_taken_or_lapses(town: Town, desk: Desk, late: timedelta) -> None:
    session = town.session(seats=1)
    holder, second, third = town.family(), town.family(), town.family()
    place = booked(town, desk, session, holder)
    entry = desk.join(session, tuple(second.children), parent=second.parent)
    desk.join(session, tuple(third.children), parent=third.parent)
    desk.cancel(place.id, parent=holder.parent)
    sweeper = Desk(desk.begin, at=NOON + 4 * HOUR)
    desk.at = NOON + 4 * HOUR + late
    accept = lambda: desk.accept(entry.id, parent=second.parent, company=town.company)  # noqa: E731
    results = at_once([*[accept] * 4, *[sweeper.sweep] * 4])
    won = kinds(results[:4])[tuple]
    assert won == 0 if late == timedelta(0) else won <= 1
    check(town, at=desk.at)
    status = town.one("SELECT status FROM waitlist WHERE id = %s", entry.id)
    assert status == (EntryStatus.ACCEPTED if won else EntryStatus.EXPIRED)


def test_no_place_survives_a_withdrawn_consent(town: Town, desk: Desk) -> None:
    """Booking, joining, accepting and cancelling while the consent is withdrawn, with children in several lines."""
    for seed in range(4):
        sessions = [town.session(seats=1, price=1, starts_at=NOON + timedelta(days=5 + i)) for i in range(4)]
        families = [town.family(children=2, credits=20) for _ in range(4)]
        tasks: list[Callable[[], Any]] = []
        for i, family in enumerate(families):
            for k, session in enumerate(sessions):
                child = (family.children[(i + k) % 2],)
                tasks += [
                    lambda f=family, s=session, c=child: desk.book(
                        s, c, parent=f.parent, company=town.company
                    ),
                    lambda f=family, s=session, c=child: desk.join(s, c, parent=f.parent),
                ]
            tasks.append(lambda f=family: withdraw(town, desk, f, f.children[0]))
        random.Random(seed).shuffle(tasks)
        at_once(tasks)
        check(town)
    for family in families:
        with pytest.raises(ConsentMissing):
            desk.book(town.session(), (family.children[0],), parent=family.parent, company=town.company)


def test_without_the_lock_a_place_survives_a_withdrawn_consent(
    town: Town, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a booking that was decided before the withdrawal and written after it."""
    family, session = town.family(), town.session()
    guard = "AND status = 'active' AND 'activity_booking' = ANY (consents)\n"
    unguarded = places.PLACE.replace(guard, "")
    assert unguarded != places.PLACE

    decide = places.PostgresPlaces.facts

    def facts(self: Any, *args: Any, **more: Any) -> Any:
        found = decide(self, *args, **more)
        town.owner.execute("UPDATE children SET consents = '{data_collection}'")
        return found

    monkeypatch.setattr(places.PostgresPlaces, "facts", facts)
    with pytest.raises(ConsentMissing):
        booked(town, desk, session, family)
    town.owner.execute("UPDATE children SET consents = '{data_collection,activity_booking}'")
    monkeypatch.setattr(places, "PLACE", unguarded)
    booked(town, desk, session, family)
    with pytest.raises(AssertionError, match="No child without consent"):
        check(town)


@pytest.mark.parametrize("locked", [True, False])
def test_a_consent_is_not_withdrawn_between_looking_and_joining(
    town: Town, desk: Desk, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """Who waits is locked first; the negative control does without."""
    session, family = town.session(seats=1), town.family()
    booked(town, desk, session, town.family())
    look, withdrawn = places.PostgresPlaces.facts, []

    def facts(self: Any, *args: Any, **more: Any) -> Any:
        found = look(self, *args, **more)
        try:
            with town.owner.transaction():
                town.owner.execute("SET LOCAL lock_timeout = '100ms'")
                town.withdraw_consent(family.children[0])
        except psycopg.errors.LockNotAvailable:
            return found
        withdrawn.append(True)
        return found

    monkeypatch.setattr(places.PostgresPlaces, "facts", facts)
    if not locked:
        monkeypatch.setattr(places.PostgresPlaces, "lock_children", lambda *_, **__: None)
    desk.join(session, tuple(family.children), parent=family.parent)
    assert withdrawn == ([] if locked else [True])
    if locked:
        check(town)
    else:
        with pytest.raises(AssertionError, match="No child without consent"):
            check(town)


def test_whatever_everybody_does_the_books_balance(town: Town, desk: Desk) -> None:
    """Eight at a time, 250 deeds each."""
    sessions = [
        town.session(seats=2 + i % 3, price=1 + i % 2, starts_at=NOON + timedelta(days=4, hours=i))
        for i in range(6)
    ]
    families = [town.family(children=1 + i % 3, credits=40) for i in range(12)]

    def live(seed: int) -> Counter[str]:
        passer = Passer(town, Desk(desk.begin), random.Random(seed), families, sessions)
        return Counter(passer.act() for _ in range(250))

    with ThreadPoolExecutor(8) as pool:
        done = sum((each.result(timeout=60) for each in [pool.submit(live, i) for i in range(8)]), Counter())
    assert {"book", "join", "cancel", "accept", "decline", "leave", "sweep", "take_away"} <= done.keys()
    desk.at = NOON + 5 * HOUR
    desk.sweep()
    check(town, at=desk.at)
