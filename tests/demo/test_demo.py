"""The demo world: whole, true to every rule, the same each time, and a good place to start from."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from nexus.adapters.postgres.invariants import verify
from nexus.adapters.postgres.migrate import migrate
from nexus.adapters.postgres.pool import open_pool
from nexus.application.catalogue.search import Search
from nexus.application.kernel.actor import Actor
from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.booking.waitlist import EntryStatus
from nexus.domain.catalogue.activities import Category
from nexus.domain.identity.people import Role
from nexus.entrypoints.demo import DEMO_ACCOUNTS, DEMO_PASSWORD, NotEmpty, load_demo
from nexus.entrypoints.demo.load import STEPS
from nexus.entrypoints.wiring import Nexus

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

AFTER_THE_CLOCKS_CHANGED = datetime(2026, 11, 3, 3, 17, 42, tzinfo=UTC)

# Values that follow from the moment or the machine of the loading, not from the story.
BY_CHANCE = {
    "child_keys": {"key"},
    "users": {"password_hash"},
    "children": {"medical_notes"},
    "outbox": {"position", "sent_at", "handled_at"},
    "parental_consent_records": {"position"},
}


class Cut(Exception):
    """Somebody pressed Ctrl-C."""


@pytest.fixture(scope="module")
def empty_nexus(postgres_server):
    """Makes an empty installation on a database of its own, at some instant."""
    with ExitStack() as stack:

        def make(name, now):
            with psycopg.connect(postgres_server.database_url, autocommit=True) as owner:
                owner.execute(f"CREATE DATABASE {name}")
            url = make_conninfo(postgres_server.database_url, dbname=name)
            migrate(url)
            pool = stack.enter_context(open_pool(url, size=2))
            return Nexus(pool, now=lambda: now, secret_key=b"k" * 32)

        yield make


@pytest.fixture(scope="module")
def steps():
    return []


@pytest.fixture(scope="module")
def nexus(empty_nexus, steps):
    """The demo world as it is at NOW."""
    nexus = empty_nexus("demo", NOW)
    nexus.summary = load_demo(nexus, progress=lambda done, total: steps.append((done, total)))
    return nexus


@pytest.fixture(scope="module")
def ask(nexus):
    def rows(query):
        with nexus.begin() as work:
            return work.connection.execute(query).fetchall()

    return rows


def signed_in(nexus, role):
    [account] = [account for account in DEMO_ACCOUNTS if account.role is role]
    me = nexus.sign_in(account.email, DEMO_PASSWORD).me
    assert me.role is role
    return Actor(user=me.id, role=role, company=me.company, venue=me.venue)


def broken(nexus, now):
    with nexus.pool.connection() as connection:
        found = list(verify(connection, at=now, last_offer=timedelta(hours=1)))
    return [(finding.invariant.number, finding.rows) for finding in found if not finding.holds]


def contents(nexus):
    """Every row of every table, without what may differ; the log tells of every attempt, so it differs."""
    with nexus.begin() as work:
        connection = work.connection
        tables = connection.execute(
            """
            SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
              FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name NOT IN ('schema_migrations', 'audit_logs')
             GROUP BY table_name
            """
        ).fetchall()
        return {
            table: sorted(
                repr(row)
                for row in connection.execute(
                    f"SELECT {', '.join(c for c in columns if c not in BY_CHANCE.get(table, ()))} FROM {table}"
                )
            )
            for table, columns in tables
        }


def test_every_invariant_holds(nexus):
    assert broken(nexus, NOW) == []


def test_it_holds_what_it_promises(nexus, ask):
    assert nexus.summary.companies == 3
    assert nexus.summary.employees == 40
    assert nexus.summary.venues == 60
    assert nexus.summary.activities == 300
    assert ask("SELECT count(*) FROM corporates") == [(3,)]
    assert ask("SELECT count(*) FROM users WHERE corporate_id IS NOT NULL") == [(40,)]
    assert ask("SELECT count(*) FROM activities WHERE is_published") == [(300,)]
    assert ask("SELECT status, count(*) FROM venues GROUP BY 1 ORDER BY 1") == [
        ("active", 60),
        ("pending_approval", 1),
    ]
    assert ask("SELECT count(*) FROM children") == [(nexus.summary.children,)]
    assert ask("SELECT count(*) FROM children WHERE status = 'draft'") == [(1,)]
    assert ask("SELECT count(*) FROM children WHERE medical_notes IS NOT NULL") == [(5,)]
    assert len(ask("SELECT DISTINCT tier FROM corporate_subscriptions")) == 3
    assert len(ask("SELECT DISTINCT billing_cycle_day FROM corporate_subscriptions")) == 3
    assert len(ask("SELECT DISTINCT timezone FROM corporates")) == 3


def test_six_weeks_of_sessions_are_planned(nexus, ask):
    [(last, coming)] = ask(
        f"SELECT max(session_date), count(*) FROM activity_sessions WHERE starts_at > '{NOW.isoformat()}'"
    )
    assert last == (NOW + timedelta(days=42)).date()
    assert coming == nexus.summary.coming_sessions > 2000
    assert ask("SELECT count(*) FROM activity_sessions WHERE recurring_schedule_id IS NULL") == [(12,)]


def test_there_is_every_kind_of_history(ask):
    statuses = {status for (status,) in ask("SELECT DISTINCT status FROM bookings")}
    assert statuses == {status.value for status in BookingStatus}
    movements = {kind for (kind,) in ask("SELECT DISTINCT transaction_type FROM credit_ledger")}
    assert {"allocation", "booking_debit", "refund_credit", "forfeit", "adjustment", "expiry"} <= movements
    [(periods,)] = ask(
        "SELECT min(n) FROM (SELECT count(*) AS n FROM user_credit_balances GROUP BY user_id) _"
    )
    assert periods >= 1
    [(both,)] = ask(
        "SELECT count(*) FROM (SELECT FROM user_credit_balances GROUP BY user_id HAVING count(*) > 1) _"
    )
    assert both >= 30
    assert ask("SELECT DISTINCT source FROM bookings ORDER BY 1") == [("browse",), ("waitlist",)]


def test_at_least_ten_full_sessions_have_families_waiting_and_some_an_open_offer(ask):
    [(full,)] = ask(
        f"""
        SELECT count(*) FROM activity_sessions
         WHERE starts_at > '{NOW.isoformat()}' AND booked_count + held_count = sellable AND waiting_count > 0
        """
    )
    assert full >= 10
    [(offers,)] = ask(
        f"SELECT count(*) FROM waitlist WHERE status = 'offered' AND offer_expires_at > '{NOW.isoformat()}'"
    )
    assert offers >= 2


def test_nothing_is_left_to_the_background(nexus, ask):
    assert ask("SELECT count(*) FROM outbox WHERE handled_at IS NULL") == [(0,)]
    assert nexus.sweep_sessions() == 0
    assert nexus.complete_bookings() == 0
    assert nexus.allocate_credits() == 0
    assert nexus.expire_credits() == 0


@pytest.mark.parametrize("category", Category)
def test_browsing_finds_every_category(nexus, category):
    cards = nexus.browse_activities(Search(categories=frozenset({category}), available=True), limit=20)
    assert len(cards) >= 15
    assert {card.category for card in cards} == {category}


@pytest.mark.parametrize("role", Role)
def test_somebody_of_every_role_signs_in(nexus, role):
    assert signed_in(nexus, role)


def test_hr_sees_aggregates(nexus):
    hr = signed_in(nexus, Role.HR_ADMIN)
    assert len(nexus.list_employees(actor=hr, limit=50)) == 16


def test_the_venue_has_bookings_to_answer(nexus, ask):
    venue = signed_in(nexus, Role.VENUE_ADMIN).venue
    assert ask(f"SELECT count(*) FROM bookings WHERE venue_id = '{venue}' AND status = 'pending'") == [(2,)]


def assert_a_tour_can_start(nexus, now):
    parent = signed_in(nexus, Role.PARENT)
    children = nexus.list_children(actor=parent)
    assert len(children) == 2
    for child in children:
        cards = nexus.browse_activities(Search(available=True), parent=parent.user, child=child.id, limit=100)
        assert len(cards) >= 50
    bookings = nexus.list_bookings(parent=parent.user, limit=50)
    assert {booking.status for booking in bookings} >= {
        BookingStatus.COMPLETED,
        BookingStatus.CANCELLED_PARENT,
        BookingStatus.NO_SHOW,
        BookingStatus.CONFIRMED,
    }
    coming = nexus.list_bookings(parent=parent.user, status=BookingStatus.CONFIRMED, upcoming=True)
    assert any(booking.refundable_until > now for booking in coming)
    entries = nexus.list_entries(parent=parent.user, active=True)
    assert {entry.status for entry in entries} == {EntryStatus.OFFERED, EntryStatus.WAITING}
    [offered] = [entry for entry in entries if entry.status is EntryStatus.OFFERED]
    [place] = nexus.accept_offer(offered.id, parent=parent.user, company=parent.company)
    assert place.status is BookingStatus.CONFIRMED
    assert nexus.list_notifications(reader=parent.user, unread=True)
    assert len(nexus.list_notifications(reader=parent.user, limit=100)) > len(
        nexus.list_notifications(reader=parent.user, unread=True, limit=100)
    )


def test_it_is_loaded_into_an_empty_database_only(nexus):
    with pytest.raises(NotEmpty):
        load_demo(nexus)


def test_progress_is_told_up_to_the_end(nexus, steps):
    assert [done for done, _ in steps] == list(range(1, STEPS + 1))
    assert {total for _, total in steps} == {STEPS}


def test_it_is_the_same_each_time_and_an_interrupted_load_leaves_nothing(nexus, empty_nexus):
    """The same present makes the same world, also where a load was cut off before."""
    again = empty_nexus("demo_again", NOW)

    def cut(done, _total):
        if done == 90:
            raise Cut

    with pytest.raises(Cut):
        load_demo(again, progress=cut)
    assert all(not rows for rows in contents(again).values())
    load_demo(again)
    left, right = contents(nexus), contents(again)
    # Whoever signed in to look around left a trace of that.
    left.pop("user_sessions")
    right.pop("user_sessions")
    for table, rows in left.items():
        assert rows == right[table], table


def test_the_parent_can_start_a_tour(nexus):
    """Last, because it takes the offer."""
    assert_a_tour_can_start(nexus, NOW)


@pytest.mark.slow
def test_another_present_makes_as_good_a_world(empty_nexus):
    nexus = empty_nexus("demo_in_november", AFTER_THE_CLOCKS_CHANGED)
    load_demo(nexus)
    assert broken(nexus, AFTER_THE_CLOCKS_CHANGED) == []
    assert_a_tour_can_start(nexus, AFTER_THE_CLOCKS_CHANGED)
    assert broken(nexus, AFTER_THE_CLOCKS_CHANGED) == []
