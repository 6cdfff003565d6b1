"""What happens when many want the same thing at the same moment, with real threads on PostgreSQL."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from time import monotonic
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from nexus.adapters.postgres import places
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.pool import open_pool
from nexus.application.booking.stand_down import StandDown
from nexus.application.booking.views import BookingView
from nexus.domain.booking.bookings import BookingEnded, BookingStatus
from nexus.domain.booking.sessions import SessionFull
from nexus.domain.booking.waitlist import EntryStatus
from nexus.domain.booking.wishes import AlreadyBooked, ConsentMissing, OverlappingBooking
from nexus.domain.kernel.errors import Refusal
from nexus.domain.kernel.ids import ChildId, SessionId
from tests.support.booking import Desk
from tests.support.town import NOON, Family, Town

THREADS = 16
HOUR = timedelta(hours=1)

OFFENCES = {
    "I1 oversold": """
        SELECT id FROM activity_sessions WHERE booked_count + held_count > sellable
    """,
    "I2 counters differ from a recount": """
        SELECT s.id, s.booked_count, s.held_count, s.waiting_count, b.booked, b.pending, w.offered, w.waiting
          FROM activity_sessions s
         CROSS JOIN LATERAL (
             SELECT count(*) FILTER (WHERE status IN ('confirmed', 'completed', 'no_show')) AS booked,
                    count(*) FILTER (WHERE status = 'pending') AS pending
               FROM bookings WHERE session_id = s.id) b
         CROSS JOIN LATERAL (
             SELECT coalesce(sum(seats) FILTER (WHERE status = 'offered'), 0) AS offered,
                    count(*) FILTER (WHERE status = 'waiting') AS waiting
               FROM waitlist WHERE session_id = s.id) w
         WHERE s.booked_count <> b.booked OR s.held_count <> b.pending + w.offered OR s.waiting_count <> w.waiting
    """,
    "I3 booked twice": """
        SELECT session_id, child_id FROM bookings WHERE status IN ('pending', 'confirmed')
         GROUP BY 1, 2 HAVING count(*) > 1
    """,
    "I4 in two places at once": """
        SELECT a.id FROM bookings a JOIN bookings b ON b.child_id = a.child_id AND b.id < a.id
         WHERE a.status IN ('pending', 'confirmed') AND b.status IN ('pending', 'confirmed')
           AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
           AND NOT a.overlap_excused AND NOT b.overlap_excused
    """,
    "I5 a balance is not the sum of its lines": """
        SELECT b.id FROM user_credit_balances b
          JOIN LATERAL (SELECT sum(amount) AS total, count(*) AS lines, max(sequence) AS last
                          FROM credit_ledger WHERE balance_id = b.id) l ON true
         WHERE b.credits_available <> l.total OR b.last_sequence <> l.lines OR l.last <> l.lines
    """,
    "I5 the lines do not chain": """
        SELECT id FROM (
            SELECT id, balance_after, sum(amount) OVER (PARTITION BY balance_id ORDER BY sequence) AS chained
              FROM credit_ledger) l
         WHERE balance_after <> chained
    """,
    "I6 more came back than was paid": """
        SELECT d.id FROM credit_ledger d JOIN credit_ledger r ON r.reverses = d.id
         GROUP BY d.id, d.amount HAVING sum(r.amount) > -d.amount
            OR count(*) FILTER (WHERE r.transaction_type IN ('refund_credit', 'forfeit')) > 1
    """,
    "a booking that was not paid": """
        SELECT b.id FROM bookings b LEFT JOIN credit_ledger l ON l.id = b.debit_id AND l.booking_id = b.id
         WHERE l.amount IS DISTINCT FROM -b.credits_charged
    """,
    "a payment without a booking": """
        SELECT l.id FROM credit_ledger l LEFT JOIN bookings b ON b.debit_id = l.id
         WHERE l.transaction_type = 'booking_debit' AND b.id IS NULL
    """,
    "what came back differs from what the booking says": """
        SELECT b.id FROM bookings b
          JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS back FROM credit_ledger
                         WHERE reverses = b.debit_id) r ON true
         WHERE r.back <> b.credits_refunded
    """,
    "I8 offered past an earlier family that would have fitted": """
        SELECT later.id FROM waitlist later
          JOIN waitlist earlier ON earlier.session_id = later.session_id
           AND earlier.queue_number < later.queue_number AND earlier.seats <= later.seats
         WHERE later.offered_at IS NOT NULL AND earlier.joined_at <= later.offered_at
           AND earlier.offered_at IS NULL AND earlier.status = 'waiting'
    """,
    "I9 an idle seat while somebody waits": """
        SELECT w.id FROM waitlist w JOIN activity_sessions s ON s.id = w.session_id
         WHERE w.status = 'waiting' AND w.seats <= s.sellable - s.booked_count - s.held_count
           AND NOT EXISTS (SELECT FROM waitlist g WHERE g.session_id = w.session_id AND g.status = 'waiting'
                              AND g.queue_number < w.queue_number AND g.overtaken >= 3)
    """,
    "I16 a place without consent": """
        SELECT b.id FROM bookings b JOIN children c ON c.id = b.child_id
         WHERE b.status IN ('pending', 'confirmed') AND NOT 'activity_booking' = ANY (c.consents)
        UNION ALL
        SELECT w.entry_id FROM waitlist_children w JOIN children c ON c.id = w.child_id
         WHERE w.is_active AND NOT 'activity_booking' = ANY (c.consents)
    """,
}


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


def check(town: Town) -> None:
    """Every invariant, recounted."""
    offences = {name: town.owner.execute(query).fetchall() for name, query in OFFENCES.items()}
    assert {name: rows for name, rows in offences.items() if rows} == {}


def book(town: Town, desk: Desk, session: SessionId, family: Family) -> Callable[[], Any]:
    return lambda: desk.book(session, tuple(family.children), parent=family.parent, company=town.company)


def booked(town: Town, desk: Desk, session: SessionId, family: Family) -> BookingView:
    return book(town, desk, session, family)()[0]  # type: ignore[no-any-return]


def withdraw(town: Town, desk: Desk, family: Family, child: ChildId) -> None:
    """What giving up the consent does, apart from its history."""
    with desk.begin() as work:
        work.connection.execute("SELECT FROM children WHERE id = %s FOR UPDATE", [child])
        work.connection.execute("UPDATE children SET consents = '{data_collection}' WHERE id = %s", [child])
        StandDown(uuid4)(work, child, parent=family.parent, at=desk.at)


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
    check(town)
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
    with pytest.raises(AssertionError, match="I16"):
        check(town)


def test_whatever_everybody_does_for_five_seconds_the_books_balance(town: Town, desk: Desk) -> None:
    sessions = [
        town.session(seats=2 + i % 3, price=1 + i % 2, starts_at=NOON + timedelta(days=4, hours=i))
        for i in range(6)
    ]
    families = [town.family(children=1 + i % 3, credits=40) for i in range(12)]
    until = monotonic() + 5
    done: Counter[str] = Counter()
    admin = families[0].parent

    def live(seed: int) -> None:
        chance = random.Random(seed)
        mine = Desk(desk.begin)
        while monotonic() < until:
            family, session = chance.choice(families), chance.choice(sessions)
            children = tuple(chance.sample(family.children, chance.randint(1, len(family.children))))
            entries = mine.list_entries(parent=family.parent, active=True)
            taken = [
                each
                for each in mine.list_bookings(parent=family.parent, limit=50)
                if each.status is BookingStatus.CONFIRMED
            ]
            deed = chance.choice(
                ["book", "book", "join", "join", "cancel", "cancel", "answer", "sweep", "venue", "leave"]
            )
            mine.at = NOON + chance.choice([0, 1, 5]) * HOUR
            try:
                match deed:
                    case "book":
                        mine.book(session, children, parent=family.parent, company=town.company)
                    case "join":
                        mine.join(session, children, parent=family.parent)
                    case "cancel" if taken:
                        mine.cancel(
                            chance.choice(taken).id, parent=family.parent, with_group=chance.random() < 0.5
                        )
                    case "answer" if entries:
                        verb = chance.choice(
                            [
                                lambda e: mine.accept(e, parent=family.parent, company=town.company),
                                lambda e: mine.decline(e, parent=family.parent),
                            ]
                        )
                        verb(chance.choice(entries).id)
                    case "leave" if entries:
                        mine.leave(chance.choice(entries).id, parent=family.parent)
                    case "venue" if taken:
                        mine.take_away(chance.choice(taken).id, venue=town.venue, by=admin)
                    case "sweep":
                        mine.sweep()
                    case _:
                        continue
            except Refusal as refusal:
                done[type(refusal).__name__] += 1
            else:
                done[deed] += 1

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(live, seed) for seed in range(8)]:
            future.result(timeout=60)
    assert {"book", "join", "cancel", "answer", "leave", "venue", "sweep"} <= done.keys(), done
    desk.at = NOON + 5 * HOUR
    desk.sweep()
    check(town)
