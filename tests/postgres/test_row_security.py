"""
Row-level security, asked with statements that name no tenant.

What each may see is declared once, as conditions that the owner of the tables (who
sees everything) evaluates; every table that is not named shows nothing.
"""

import psycopg
import pytest

from nexus.adapters.postgres.booking_views import LIST_BOOKINGS
from nexus.application.kernel.actor import Actor
from nexus.domain.identity.people import Role
from tests.support.booking import Desk
from tests.support.neighbours import Neighbours, asking

pytestmark = pytest.mark.postgres

CATALOGUE = {
    "venues": "true",
    "activities": "true",
    "activity_recurring_schedules": "true",
    "activity_sessions": "true",
    "listings": "true",
    "platform_settings": "true",
    "schema_migrations": "true",
}
PERSON = CATALOGUE | {
    "users": "id = %(user)s",
    "user_sessions": "user_id = %(user)s",
    "command_keys": "actor_id = %(user)s",
    "notifications": "user_id = %(user)s",
}
FAMILY = PERSON | {
    "corporates": "id = %(company)s",
    "corporate_subscriptions": "corporate_id = %(company)s",
    "children": "parent_id = %(user)s",
    "child_keys": "parent_id = %(user)s",
    "parental_consent_records": "parent_id = %(user)s",
    "user_credit_balances": "user_id = %(user)s",
    "credit_ledger": "user_id = %(user)s",
    "bookings": "booked_by = %(user)s",
    "waitlist": "user_id = %(user)s",
    "waitlist_children": "user_id = %(user)s",
}
SEEN = {
    "nobody": CATALOGUE,
    "parent": FAMILY,
    "coworker": FAMILY,
    "hr": FAMILY
    | {
        "users": "corporate_id = %(company)s",
        "credit_periods": "corporate_id = %(company)s",
        "user_credit_balances": "corporate_id = %(company)s",
        "bookings": "corporate_id = %(company)s",
    },
    "venue": PERSON | {"bookings": "venue_id = %(venue)s"},
}
"""Whose rows each may see, however a statement asks."""

NEVER_EMPTY = {*FAMILY, "outbox", "job_runs", "development_clock", "imported_programmes"} - {
    "activity_recurring_schedules"
}


@pytest.fixture
def neighbours(begin, owner):
    return Neighbours.of(begin, owner)


@pytest.fixture
def tables(owner):
    return [
        row[0]
        for row in owner.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " ORDER BY 1"
        )
    ]


def actor_of(neighbours, who):
    return None if who == "nobody" else neighbours.here.actors[who]


def rows(connection, table, condition="true", values=None):
    return sorted(
        row[0]
        for row in connection.execute(f"SELECT t::text FROM {table} t WHERE {condition}", values).fetchall()
    )


def ids(actor):
    return {"user": actor and actor.user, "company": actor and actor.company, "venue": actor and actor.venue}


def test_every_table_is_walled_even_from_its_owner(owner, tables):
    """A new table fails here until its migration says who may see it."""
    walled = owner.execute(
        """
        SELECT c.relname FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
           AND c.relrowsecurity AND c.relforcerowsecurity
           AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
         ORDER BY 1
        """
    ).fetchall()
    assert [row[0] for row in walled] == tables


def test_a_table_without_a_wall_would_be_noticed(owner, tables):
    with owner.transaction(force_rollback=True):
        owner.execute("CREATE TABLE forgotten (id int)")
        with pytest.raises(AssertionError):
            test_every_table_is_walled_even_from_its_owner(owner, [*tables, "forgotten"])


@pytest.mark.parametrize("who", SEEN)
def test_everybody_sees_their_own_and_nothing_else(begin, owner, neighbours, tables, who):
    actor = actor_of(neighbours, who)
    for table in set(tables) - {"audit_logs"}:
        if table in NEVER_EMPTY:
            assert rows(owner, table), f"{table} is empty: nothing is tested"
        expected = rows(owner, table, SEEN[who].get(table, "false"), ids(actor))
        for open_unit in (begin, begin.reading):
            with asking(actor), open_unit() as work:
                assert rows(work.connection, table) == expected, (table, open_unit)


def test_the_platform_sees_everything(begin, owner, neighbours, tables):
    for table in tables:
        for open_unit in (begin, begin.reading, begin.as_platform, begin.reading_as_platform):
            with open_unit() as work:
                assert rows(work.connection, table) == rows(owner, table)
    with asking(None), begin.as_platform() as work:
        assert len(rows(work.connection, "children")) == 4


def test_a_connection_that_was_told_nobody_sees_no_person(pool, neighbours, tables):
    with pool.connection() as connection:
        for table in set(tables) - set(CATALOGUE) - {"audit_logs"}:
            assert rows(connection, table) == []


CHANGED = {
    "nobody": {},
    "parent": {
        "command_keys": "actor_id = %(user)s",
        "user_sessions": "user_id = %(user)s",
        "users": "id = %(user)s",
        "notifications": "user_id = %(user)s",
        "children": "parent_id = %(user)s",
        "user_credit_balances": "user_id = %(user)s",
        "bookings": "booked_by = %(user)s",
    },
    "hr": {
        "command_keys": "actor_id = %(user)s",
        "user_sessions": "user_id = %(user)s",
        "users": "corporate_id = %(company)s",
        "notifications": "user_id = %(user)s",
    },
    "venue": {
        "command_keys": "actor_id = %(user)s",
        "user_sessions": "user_id = %(user)s",
        "users": "id = %(user)s",
        "notifications": "user_id = %(user)s",
        "bookings": "venue_id = %(venue)s",
        "activities": "venue_id = %(venue)s",
        "activity_sessions": "venue_id = %(venue)s",
        "listings": "venue_id = %(venue)s",
    },
}
SETS = {
    "command_keys": "status = status",
    "user_sessions": "revoked_at = revoked_at",
    "users": "left_at = left_at",
    "notifications": "read_at = read_at",
    "children": "version = version",
    "user_credit_balances": "last_sequence = last_sequence",
    "bookings": "version = version",
    "activities": "version = version",
    "activity_sessions": "version = version",
    "listings": "last_start = last_start",
    "venues": "version = version",
    "waitlist": "status = status",
    "waitlist_children": "is_active = is_active",
    "outbox": "attempts = attempts",
    "platform_settings": "value = value",
    "corporate_subscriptions": "allocated_period = allocated_period",
    "imported_programmes": "fingerprint = fingerprint",
}


@pytest.mark.parametrize("who", CHANGED)
def test_everybody_changes_their_own_and_nothing_else(begin, owner, neighbours, who):
    actor = actor_of(neighbours, who)
    for table, change in SETS.items():
        expected = len(rows(owner, table, CHANGED[who].get(table, "false"), ids(actor)))
        with asking(actor), begin() as work:
            assert work.connection.execute(f"UPDATE {table} SET {change}").rowcount == expected, table


@pytest.mark.parametrize("who", CHANGED)
@pytest.mark.parametrize("table", ["command_keys", "outbox", "job_runs", "development_clock"])
def test_a_delete_reaches_nobody_else(begin, owner, neighbours, who, table):
    actor = actor_of(neighbours, who)
    before = len(rows(owner, table))
    own = len(rows(owner, table, "actor_id = %(user)s", ids(actor))) if table == "command_keys" else 0
    with asking(actor), begin() as work:
        work.connection.execute(f"DELETE FROM {table}")
    assert len(rows(owner, table)) == before - own


def test_a_venue_deletes_no_session_of_another(begin, owner, neighbours):
    there = neighbours.there.town.session()
    with asking(neighbours.here.actors["venue"]), begin() as work:
        work.connection.execute("DELETE FROM activity_sessions WHERE booked_count = 0")
    assert rows(owner, "activity_sessions", "id = %(id)s", {"id": there})


ADDED = {
    "users": ("id", "user"),
    "user_sessions": ("user_id", "user"),
    "command_keys": ("actor_id", "user"),
    "notifications": ("user_id", "user"),
    "children": ("parent_id", "user"),
    "child_keys": ("parent_id", "user"),
    "parental_consent_records": ("parent_id", "user"),
    "user_credit_balances": ("user_id", "user"),
    "credit_ledger": ("user_id", "user"),
    "bookings": ("booked_by", "user"),
    "waitlist": ("user_id", "coworker"),
    "waitlist_children": ("user_id", "coworker"),
    "corporates": ("id", "company"),
    "corporate_subscriptions": ("corporate_id", "company"),
    "venues": ("id", "venue"),
    "activities": ("venue_id", "venue"),
    "activity_sessions": ("venue_id", "venue"),
    "platform_settings": ("key", "setting"),
    "job_runs": ("job", "job"),
    "development_clock": ("only_row", "clock"),
    "imported_programmes": ("external_ref", "reference"),
}
"""By which column a row of each table belongs to whom."""


@pytest.fixture
def copies(owner, neighbours):
    """For each table a statement that adds a copy of somebody else's row."""
    other = neighbours.there
    values = {
        "user": other.families[0].parent,
        "coworker": other.families[1].parent,
        "company": other.town.company,
        "venue": other.town.venue,
        "setting": "k",
        "job": "j",
        "clock": True,
        "reference": "r",
    }
    made = {}
    for table, (column, whose) in ADDED.items():
        names = owner.execute(
            "SELECT array_agg(column_name::text) FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s"
            " AND is_generated = 'NEVER' AND identity_generation IS NULL",
            [table],
        ).fetchone()[0]
        stored = owner.execute(
            f"SELECT {', '.join(f'{name}::text' for name in names)} FROM {table} WHERE {column} = %s LIMIT 1",
            [values[whose]],
        ).fetchone()
        assert stored, table
        marks = ", ".join(["%s"] * len(names))
        made[table] = (f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", stored)
    return made


@pytest.mark.parametrize("who", ["nobody", "parent", "coworker", "hr", "venue"])
def test_nobody_adds_a_row_of_somebody_else(begin, neighbours, copies, who):
    """The wall refuses before any constraint is asked."""
    for statement, stored in copies.values():
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
            asking(actor_of(neighbours, who)),
            begin() as work,
        ):
            work.connection.execute(statement, stored)


def test_a_condition_that_was_forgotten_shows_nothing_of_others(begin, owner, neighbours):
    """The product's own statement with its tenant left out; with the wall away it leaks, so the wall it was."""
    forgotten = LIST_BOOKINGS.replace("b.booked_by = %(parent)s", "true")
    assert forgotten != LIST_BOOKINGS
    values = {"status": None, "upcoming_at": None, "after_at": None, "after_id": None, "limit": 100}
    actor = neighbours.here.actors["parent"]

    def listed():
        with asking(actor), begin.reading() as work:
            return len(work.connection.execute(forgotten, values).fetchall())

    assert listed() == 1
    owner.execute("ALTER TABLE bookings DISABLE ROW LEVEL SECURITY")
    owner.execute("ALTER TABLE children DISABLE ROW LEVEL SECURITY")
    try:
        assert listed() == 2
    finally:
        owner.execute("ALTER TABLE bookings ENABLE ROW LEVEL SECURITY")
        owner.execute("ALTER TABLE children ENABLE ROW LEVEL SECURITY")


def test_a_family_that_works_on_a_session_reaches_its_seats_and_queue_and_no_other(begin, owner, neighbours):
    with asking(neighbours.here.actors["parent"]), begin() as work:
        work.lines.lock(neighbours.here.full)
        assert work.connection.execute("UPDATE activity_sessions SET version = version").rowcount == 1
        assert work.connection.execute("UPDATE waitlist SET status = status").rowcount == 1
        assert rows(work.connection, "waitlist") == rows(
            owner, "waitlist", "session_id = %(s)s", {"s": neighbours.here.full}
        )
        assert rows(work.connection, "children") == rows(
            owner, "children", "parent_id = %(p)s", {"p": neighbours.here.families[0].parent}
        )


def test_a_family_is_told_its_position_among_entries_that_it_does_not_see(begin, owner, neighbours):
    town = neighbours.here.town
    third = town.family()
    desk = Desk(begin)
    desk.join(neighbours.here.full, tuple(third.children), parent=third.parent)
    with asking(Actor(user=third.parent, role=Role.PARENT, company=town.company)):
        listed = desk.list_entries(parent=third.parent, active=None, after=None, limit=9)
        assert [entry.position for entry in listed] == [2]
        with begin() as work:
            assert len(rows(work.connection, "waitlist")) == 1
            assert work.connection.execute("SELECT current_setting('nexus.scope')").fetchone() == ("tenant",)
