"""The queries of `nexus verify` find what is planted, and nothing where all is well."""

from datetime import timedelta

import psycopg
import pytest

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.invariants import INVARIANTS, verify
from tests.support.booking import Desk
from tests.support.town import NOON, Family, Town

HOUR = timedelta(hours=1)


def broken(owner: psycopg.Connection) -> set[str]:
    """The numbers of the promises that do not hold."""
    return {
        finding.invariant.number for finding in verify(owner, at=NOON, last_offer=HOUR) if not finding.holds
    }


def consents(town: Town, family: Family) -> None:
    """The history behind the consents that the town writes straight into its children."""
    for child in family.children:
        for purpose in ("data_collection", "activity_booking"):
            town.owner.execute(
                """INSERT INTO parental_consent_records
                   (id, child_id, parent_id, purpose, given, text_version, method, recorded_at)
                   VALUES (gen_random_uuid(), %s, %s, %s, true, '1', 'web_form', %s)""",
                [child, family.parent, purpose, NOON],
            )


@pytest.fixture
def busy(begin: PostgresBegin, owner: psycopg.Connection) -> Town:
    """Two families in a session of one seat, one booked, one waiting; a third one cancelled late."""
    town, desk = Town(owner), Desk(begin)
    families = [town.family(credits=4) for _ in range(3)]
    for family in families:
        consents(town, family)
    session = town.session(seats=1)
    late = town.session(seats=5, starts_at=NOON + HOUR * 30)
    book = {"company": town.company}
    desk.book(session, tuple(families[0].children), parent=families[0].parent, **book)
    desk.join(session, tuple(families[1].children), parent=families[1].parent)
    [given_up] = desk.book(late, tuple(families[2].children), parent=families[2].parent, **book)
    desk.cancel(given_up.id, parent=families[2].parent)
    return town


def test_all_is_well_after_ordinary_use(busy: Town, owner: psycopg.Connection) -> None:
    assert broken(owner) == set()


SABOTAGE = {
    "I1": [
        "ALTER TABLE activity_sessions DROP CONSTRAINT never_oversold",
        "UPDATE activity_sessions SET booked_count = sellable + 1",
    ],
    "I2": ["UPDATE activity_sessions SET held_count = held_count + 1 WHERE sellable = 5"],
    "I3": [
        "DROP INDEX bookings_once_per_child_and_session",
        "ALTER TABLE bookings DROP CONSTRAINT one_place_at_a_time, DROP CONSTRAINT bookings_debit_id_key",
        "CREATE TEMP TABLE copy ON COMMIT DROP AS SELECT * FROM bookings WHERE status = 'confirmed'",
        "UPDATE copy SET id = gen_random_uuid(), confirmation_code = 'again'",
        "INSERT INTO bookings SELECT * FROM copy",
    ],
    "I4": [
        "DROP INDEX bookings_once_per_child_and_session",
        "ALTER TABLE bookings DROP CONSTRAINT one_place_at_a_time, DROP CONSTRAINT bookings_debit_id_key",
        "CREATE TEMP TABLE copy ON COMMIT DROP AS SELECT * FROM bookings WHERE status = 'confirmed'",
        "UPDATE copy SET id = gen_random_uuid(), confirmation_code = 'again', ends_at = ends_at + interval '1h'",
        "INSERT INTO bookings SELECT * FROM copy",
    ],
    "I5a": [
        """UPDATE user_credit_balances
              SET credits_available = credits_available + 1, credits_adjusted = credits_adjusted + 1"""
    ],
    "I5b": [
        "ALTER TABLE credit_ledger DISABLE TRIGGER ALL",
        "UPDATE credit_ledger SET sequence = sequence + 7 WHERE transaction_type = 'booking_debit'",
    ],
    "I5c": ["UPDATE user_credit_balances SET last_sequence = last_sequence + 1"],
    "I6a": ["UPDATE bookings SET credits_refunded = 1 WHERE status = 'confirmed'"],
    "I6b": [
        "ALTER TABLE credit_ledger DISABLE TRIGGER ALL",
        """UPDATE credit_ledger
              SET reverses = (SELECT id FROM credit_ledger WHERE transaction_type = 'allocation' LIMIT 1)
            WHERE transaction_type = 'forfeit'""",
    ],
    "I6c": ["UPDATE bookings SET status = 'cancelled_venue' WHERE status = 'confirmed'"],
    "I7": ["ALTER TABLE credit_ledger DISABLE TRIGGER credit_ledger_append_only"],
    "I7b": [
        """DO $$ BEGIN EXECUTE 'DROP TABLE audit.audit_logs_'
                 || to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY_MM'); END $$"""
    ],
    "I8a": [
        """INSERT INTO waitlist (id, session_id, user_id, corporate_id, queue_number, seats, status,
                                joined_at, offered_at, offer_expires_at)
           SELECT gen_random_uuid(), session_id, user_id, corporate_id, 2, 1, 'offered',
                  joined_at, joined_at, joined_at + interval '4h'
             FROM waitlist"""
    ],
    "I8b": ["UPDATE waitlist SET status = 'left'"],
    "I9": ["UPDATE activity_sessions SET sellable = 2, total_capacity = 2 WHERE waiting_count = 1"],
    "I10": [
        """UPDATE waitlist
              SET status = 'offered', offered_at = joined_at - interval '5h',
                  offer_expires_at = joined_at - interval '1h'"""
    ],
    "I11": [
        """INSERT INTO command_keys (actor_id, key, fingerprint, claimed_at)
           VALUES (gen_random_uuid(), 'k', '', now())"""
    ],
    "I12": ["UPDATE outbox SET parked_at = now()"],
    "I13": [
        "ALTER TABLE corporate_subscriptions DROP CONSTRAINT subscriptions_never_overlap",
        "CREATE TEMP TABLE copy ON COMMIT DROP AS SELECT * FROM corporate_subscriptions",
        "UPDATE copy SET id = gen_random_uuid()",
        "INSERT INTO corporate_subscriptions SELECT * FROM copy",
    ],
    "I16a": ["UPDATE children SET consents = consents || '{photo_sharing}'::text[]"],
    "I16b": ["UPDATE children SET consents = '{data_collection}'"],
    "I17": [
        "CREATE TEMP TABLE copy ON COMMIT DROP AS SELECT * FROM venues",
        "UPDATE copy SET id = gen_random_uuid(), slug = 'other'",
        "INSERT INTO venues SELECT * FROM copy",
        "UPDATE bookings SET venue_id = (SELECT id FROM venues WHERE slug = 'other')",
    ],
    "I18": ["UPDATE listings SET last_start = last_start - interval '1 year'"],
}


def test_every_promise_has_its_sabotage() -> None:
    assert [invariant.number for invariant in INVARIANTS] == list(SABOTAGE)


@pytest.mark.parametrize("number", SABOTAGE)
def test_what_breaks_a_promise_is_found(busy: Town, owner: psycopg.Connection, number: str) -> None:
    with owner.transaction(force_rollback=True):
        for statement in SABOTAGE[number]:
            owner.execute(statement)
        found = {
            invariant.number
            for invariant in INVARIANTS
            if owner.execute(
                invariant.query, {"at": NOON + timedelta(minutes=1), "last_offer": HOUR}
            ).fetchone()
        }
    assert number in found


@pytest.mark.parametrize(
    "change",
    [
        "is_offered = NOT is_offered",
        "is_open = NOT is_open",
        "category = 'music'",
        "max_age = max_age + 1",
        "tags = '{loud}'",
        "insured_until = NULL",
        "timezone = 'Asia/Tokyo'",
        "latitude = latitude + 0.1",
        "credits_required = credits_required + 1",
    ],
)
def test_a_listing_that_says_something_else_is_found(
    busy: Town, owner: psycopg.Connection, change: str
) -> None:
    """Each column that is kept twice."""
    query = next(each.query for each in INVARIANTS if each.number == "I18")
    with owner.transaction(force_rollback=True):
        assert owner.execute(query).fetchone() is None
        owner.execute(f"UPDATE listings SET {change}")
        assert owner.execute(query).fetchone() is not None
