"""
Scripts for pgbench: the product's own statements, and the leanest ones that do the same work.

In a script a number `n` counts up within each client; ids follow from it as in
`benchmarks.dataset`. Both kinds of script find their rows in the same way, so that
what differs is the statement.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

from benchmarks.dataset import BOOKING, CHILD, SESSION, USER, Size
from nexus.adapters.postgres.outbox import ADD_EVENT
from nexus.adapters.postgres.placing import PLACE
from nexus.domain.platform.settings import PlatformSettings


def id_expression(kind: int, number: str) -> str:
    """The id of the row whose number this expression gives, as `benchmarks.dataset.id_of`."""
    return f"(lpad(to_hex({number}::bigint), 12, '0') || '7{kind:03x}8000000000000000')::uuid"


def _numbers(start: int, clients: int) -> list[str]:
    return [rf"\set n {start} + :client_id + {clients} * :i", r"\set i :i + 1"]


def free_place(size: Size, start: int, clients: int) -> list[str]:
    """Variables as `benchmarks.dataset.free_place`: family, session and price."""
    return [
        *_numbers(start, clients),
        rf"\set f :n % {size.families}",
        rf"\set k 7 + :n / {size.families} % 3",
        rf"\set a (:f * 7919 + :k * 104729) % {size.activities}",
        r"\set a case when :a % 4 = 0 then :a + 1 else :a end",
        rf"\set s :a * 20 + 2 * :k + 1 - :f / {size.activities} % 2",
        r"\set price 1 + :a % 4",
    ]


def awaited_booking(size: Size, start: int, clients: int) -> list[str]:
    """Variables as `benchmarks.dataset.awaited_booking`: family, booking, session and price."""
    return [
        *_numbers(start, clients),
        r"\set k 7 + :n % 3",
        rf"\set f (4 * (:n / 3) + :k % 4) % {size.families}",
        r"\set b :f * 10 + :k",
        rf"\set a (:f * 7919 + :k * 104729) % {size.activities}",
        rf"\set s :a * 20 + 2 * :k + :f / {size.activities} % 2",
        r"\set price 1 + :a % 4",
    ]


# As long as a real one, and without a colon, which would begin a variable of pgbench.
_EVENT: Final = "'" + json.dumps("x" * 200) + "'::jsonb"


LEANEST_BOOKING: Final = f"""
WITH seat AS (
    UPDATE activity_sessions SET booked_count = booked_count + 1
     WHERE id = {id_expression(SESSION, ":s")} AND status = 'scheduled' AND starts_at > now()
       AND booked_count + held_count < sellable AND waiting_count = 0
    RETURNING id, venue_id, starts_at, ends_at, credits_required
), purse AS (
    UPDATE user_credit_balances
       SET credits_available = credits_available - seat.credits_required,
           credits_used = credits_used + seat.credits_required, last_sequence = last_sequence + 1
      FROM seat
     WHERE user_id = {id_expression(USER, ":f")} AND closed_at IS NULL AND opens_at <= now() AND closes_at > now()
       AND credits_available >= seat.credits_required
    RETURNING user_credit_balances.id, user_id, corporate_id, credits_available, last_sequence,
              gen_random_uuid() AS booking, gen_random_uuid() AS debit
), placed AS (
    INSERT INTO bookings (id, session_id, child_id, booked_by, corporate_id, venue_id, status,
                          confirmation_code, source, credits_charged, credit_value_minor, currency, debit_id,
                          starts_at, ends_at, refundable_until, booked_at, confirmed_at)
    SELECT booking, seat.id, {id_expression(CHILD, ":f")}, user_id, corporate_id, venue_id, 'confirmed', booking::text,
           'browse', credits_required, 500, 'USD', debit, starts_at, ends_at, starts_at, now(), now()
      FROM seat, purse
), told AS (
    INSERT INTO outbox (id, type, payload, occurred_at)
    SELECT gen_random_uuid(), 'PlacesBooked', {_EVENT}, now() FROM purse
)
INSERT INTO credit_ledger (id, balance_id, user_id, sequence, transaction_type, amount, balance_after,
                           booking_id, occurred_at)
SELECT debit, purse.id, user_id, last_sequence, 'booking_debit', -credits_required, credits_available, booking,
       now()
  FROM seat, purse;
"""

LEANEST_CANCELLATION: Final = f"""
WITH ended AS (
    UPDATE bookings
       SET status = 'cancelled_parent', credits_refunded = credits_charged, cancelled_at = now(),
           cancellation_reason = 'other', version = version + 1
     WHERE id = {id_expression(BOOKING, ":b")} AND status = 'confirmed' AND refundable_until > now()
    RETURNING id, session_id, booked_by, credits_charged, debit_id
), first AS (
    SELECT w.id, w.session_id FROM waitlist w JOIN ended ON w.session_id = ended.session_id
     WHERE w.status = 'waiting' ORDER BY w.queue_number LIMIT 1 FOR UPDATE OF w
), seat AS (
    UPDATE activity_sessions s
       SET booked_count = booked_count - 1, held_count = held_count + (first.id IS NOT NULL)::int,
           waiting_count = waiting_count - (first.id IS NOT NULL)::int
      FROM ended LEFT JOIN first ON true
     WHERE s.id = ended.session_id
), offered AS (
    UPDATE waitlist w SET status = 'offered', offered_at = now(), offer_expires_at = now() + interval '4 hours'
      FROM first WHERE w.id = first.id
), purse AS (
    UPDATE user_credit_balances b
       SET credits_available = credits_available + credits_charged,
           credits_refunded = b.credits_refunded + credits_charged, last_sequence = last_sequence + 1
      FROM ended
     WHERE user_id = ended.booked_by AND closed_at IS NULL AND opens_at <= now() AND closes_at > now()
    RETURNING b.id, b.user_id, b.credits_available, b.last_sequence
), told AS (
    INSERT INTO outbox (id, type, payload, occurred_at)
    SELECT gen_random_uuid(), 'BookingCancelled', {_EVENT}, now() FROM ended
     UNION ALL
    SELECT gen_random_uuid(), 'OfferMade', {_EVENT}, now() FROM first
)
INSERT INTO credit_ledger (id, balance_id, user_id, sequence, transaction_type, amount, balance_after,
                           booking_id, reverses, occurred_at)
SELECT gen_random_uuid(), purse.id, user_id, last_sequence, 'refund_credit', credits_charged, credits_available,
       ended.id, debit_id, now()
  FROM ended, purse;
"""


def leanest_booking(size: Size, start: int, clients: int) -> str:
    """One statement: seat, debit, booking, ledger line, event."""
    return "\n".join([*free_place(size, start, clients), LEANEST_BOOKING])


def leanest_cancellation(size: Size, start: int, clients: int) -> str:
    """One statement: booking, seat, offer, refund, ledger line, two events."""
    return "\n".join([*awaited_booking(size, start, clients), LEANEST_CANCELLATION])


def own_values() -> dict[str, str]:
    """What the product says of the place that is booked."""
    terms = PlatformSettings()
    return {
        "session": id_expression(SESSION, ":s"),
        "version": "1",
        "parent": id_expression(USER, ":f"),
        "company": f"(SELECT corporate_id FROM users WHERE id = {id_expression(USER, ':f')})",
        "status": "'confirmed'",
        "price": ":price::int",
        "total": ":price::int",
        "seats": "1",
        "booked": "1",
        "held": "0",
        "bookings": "ARRAY[gen_random_uuid()]",
        "children": f"ARRAY[{id_expression(CHILD, ':f')}]",
        "codes": "ARRAY[gen_random_uuid()::text]",
        "debits": "ARRAY[gen_random_uuid()]",
        "group": "NULL::uuid",
        "source": "'browse'",
        "original": "NULL::uuid",
        "credit_value": str(terms.credit_value.minor),
        "currency": f"'{terms.credit_value.currency}'",
        "refundable_until": "now() + interval '7 days'",
        "confirm_by": "NULL",
        "in_turn": "false",
        "last_offer_minutes": str(terms.waitlist_last_offer_minutes),
        "at": "now()",
    }


OWN: Final = {"plan_cache_mode": "force_generic_plan"}
"""How the product has a family's commands planned."""


def own_booking(size: Size, start: int, clients: int) -> str:
    """
    What the product writes for a booking, without what it reads before: event and place, one transaction.

    In one message, as the product sends it, to be planned as :data:`OWN` says.
    """
    return "\n".join(
        [
            *free_place(size, start, clients),
            r"\startpipeline",
            "BEGIN;",
            stated(ADD_EVENT, own_event("PlacesBooked")) + ";",
            stated(PLACE, own_values()) + ";",
            "COMMIT;",
            r"\endpipeline",
        ]
    )


def own_event(name: str) -> dict[str, str]:
    """What the product tells of it."""
    return {"id": "gen_random_uuid()", "type": f"'{name}'", "payload": _EVENT, "at": "now()"}


def stated(statement: str, values: Mapping[str, str]) -> str:
    """A statement of the product with an expression in the place of each parameter; comments are left out."""
    without = re.sub(r"--.*", "", statement)
    return re.sub(r"%\((\w+)\)[sb]", lambda found: values[found[1]], without).replace("%%", "%").strip()
