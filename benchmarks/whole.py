"""
Everything that the product says to PostgreSQL for one request, as a script for pgbench.

In the product's own order, in its round trips, as its role and on behalf of the family.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from benchmarks.dataset import BALANCE, BOOKING, CHILD, COMPANY, LINE, SESSION, USER, Size
from benchmarks.lean import OWN, awaited_booking, free_place, id_expression, own_event, own_values, stated
from nexus.adapters.postgres.audit import ADD_ENTRY
from nexus.adapters.postgres.departures import LOCK_BOOKING, LOCK_ENTRIES, LOCK_PURSES, LOCK_SESSION
from nexus.adapters.postgres.lines import SAVE_ENTRIES, SAVE_SEATS
from nexus.adapters.postgres.outbox import ADD_EVENT
from nexus.adapters.postgres.payments import POST
from nexus.adapters.postgres.places import SAVE_BOOKINGS
from nexus.adapters.postgres.placing import PLACE, READ_FACTS
from nexus.adapters.postgres.sign_ins import RECOGNISE
from nexus.adapters.postgres.whom import PLATFORM
from nexus.domain.compliance.audit import Action
from nexus.domain.identity.people import Role
from nexus.domain.platform.settings import DEFAULTS, keys

_SETTINGS: Final = ("scope", "user", "company", "hr", "venue")
_MADE: Final = 900
"""A kind of id that the dataset does not have: what is booked here is told apart by it."""


def whole_booking(size: Size, start: int, clients: int) -> str:
    """One request: who asks, what is known, event, log and the places, which are the answer."""
    family, company = _asker(size)
    booking, debit = id_expression(BOOKING + _MADE, ":n"), id_expression(_MADE, ":n")
    values = own_values() | {
        "company": company,
        "bookings": f"ARRAY[{booking}]",
        "debits": f"ARRAY[{debit}]",
    }
    facts = {
        "session": id_expression(SESSION, ":s"),
        "children": f"ARRAY[{id_expression(CHILD, ':f')}]",
        "parent": family,
        "at": "now()",
        "settings": _array(keys()),
    }
    return "\n".join(
        [
            *free_place(size, start, clients),
            *recognition(f"'bench-{USER}-' || :f"),
            *_begin(size),
            stated(READ_FACTS, facts) + ";",
            r"\endpipeline",
            r"\startpipeline",
            stated(ADD_EVENT, own_event("PlacesBooked")) + ";",
            stated(ADD_ENTRY, _deed(Action.BOOKED, booking, family, company)) + ";",
            stated(PLACE, values) + ";",
            "COMMIT;",
            r"\endpipeline",
        ]
    )


def whole_cancellation(size: Size, start: int, clients: int) -> str:
    """One request: who asks, all that it touches, then what ends, the offer, the refund, two events and log."""
    family, company = _asker(size)
    session, booking = id_expression(SESSION, ":s"), id_expression(BOOKING, ":b")
    balance = id_expression(BALANCE, ":f")
    lock = {"booking": booking, "parent": family, "at": "now()", "settings": _array(keys())}
    # In a pipeline pgbench keeps nothing of what was read.
    first = (
        f"(SELECT id FROM waitlist WHERE session_id = {session} AND status = 'waiting'"
        " ORDER BY queue_number LIMIT 1)"
    )
    saved = {
        "ids": f"ARRAY[{booking}]",
        "statuses": "'{cancelled_parent}'",
        "refunded": "ARRAY[:price::int]",
        "versions": "'{2}'",
        "at": "now()",
        "by": family,
        "reason": "'other'",
        "notes": "NULL",
    }
    seats = {
        "session": session,
        "sellable": "sellable",
        "booked": "booked_count - 1",
        "held": "held_count + 1",
        "waiting": "waiting_count - 1",
        "last_number": "last_queue_number",
        "released_at": "released_at",
    }
    offered = {
        "ids": f"ARRAY[{first}]",
        "statuses": "'{offered}'",
        "overtaken": "'{0}'",
        "offered_at": "ARRAY[now()]",
        "expires_at": "ARRAY[now() + interval '4 hours']",
        "ended_at": "'{NULL}'",
        "reasons": "'{NULL}'",
    }
    posted = {
        "lines": f"ARRAY[{id_expression(_MADE + 1, ':n')}]",
        "balances": f"ARRAY[{balance}]",
        "users": f"ARRAY[{family}]",
        "types": "'{refund_credit}'",
        "amounts": "ARRAY[:price::int]",
        "bookings": f"ARRAY[{booking}]",
        "reverses": f"ARRAY[{id_expression(LINE, '(:f * 100 + :k * 2 + 1)')}]",
        "forfeited": "'{0}'",
        "at": "now()",
    }
    return "\n".join(
        [
            *awaited_booking(size, start, clients),
            *recognition(f"'bench-{USER}-' || :f"),
            *_begin(size),
            *(stated(each, lock) + ";" for each in (LOCK_SESSION, LOCK_BOOKING, LOCK_ENTRIES, LOCK_PURSES)),
            r"\endpipeline",
            r"\startpipeline",
            stated(SAVE_BOOKINGS, saved) + ";",
            stated(SAVE_SEATS, seats) + ";",
            stated(SAVE_ENTRIES, offered) + ";",
            stated(ADD_EVENT, own_event("OfferMade")) + ";",
            stated(POST, posted) + ";",
            stated(ADD_EVENT, own_event("BookingCancelled")) + ";",
            stated(ADD_ENTRY, _deed(Action.BOOKING_CANCELLED, booking, family, company)) + ";",
            "COMMIT;",
            r"\endpipeline",
        ]
    )


def recognition(token: str) -> list[str]:
    """Whose token it is, in one round trip."""
    asked = {
        "token_hash": f"sha256(convert_to({token}, 'UTF8'))",
        "at": "now()",
        "unnoted": "now() - interval '1 minute'",
        "required": _array(DEFAULTS.second_factor_required_roles),
    }
    return [
        r"\startpipeline",
        tell([f"'{each}'" for each in PLATFORM.values]),
        stated(RECOGNISE, asked) + ";",
        r"\endpipeline",
    ]


def _asker(size: Size) -> tuple[str, str]:
    return id_expression(USER, ":f"), id_expression(COMPANY, f"(:f % {size.companies})")


def _begin(size: Size) -> list[str]:
    """Up to where the first statement of a unit of work goes."""
    family, company = _asker(size)
    return [
        r"\startpipeline",
        "BEGIN;",
        tell(["'tenant'", f"{family}::text", f"{company}::text", "''", "''"], OWN),
    ]


def _array(texts: Sequence[str] | frozenset[str]) -> str:
    stated_texts = ", ".join(f"'{each}'" for each in sorted(texts))
    return f"ARRAY[{stated_texts}]::text[]"


def tell(values: Sequence[str], settings: Mapping[str, str] = MappingProxyType({})) -> str:
    """For whom the statements are that follow in the same transaction, and how the server takes them."""
    told = {f"nexus.{name}": value for name, value in zip(_SETTINGS, values, strict=True)}
    told |= {name: f"'{value}'" for name, value in settings.items()}
    return "SELECT " + ", ".join(f"set_config('{name}', {value}, true)" for name, value in told.items()) + ";"


def _deed(action: Action, booking: str, family: str, company: str) -> dict[str, str]:
    """A row of the audit log, as long as a real one, and without a colon, which would begin a variable."""
    new = json.dumps(["session", "s" * 36, "status", "confirmed", "source", "browse", "credits", 2])
    known = {
        "id": "gen_random_uuid()",
        "category": f"'{action.category.value}'",
        "action": f"'{action.label}'",
        "severity": f"'{action.severity.value}'",
        "entity_type": f"'{action.entity.value}'",
        "entity": booking,
        "cause": "'person'",
        "user": family,
        "role": f"'{Role.PARENT.value}'",
        "session": "gen_random_uuid()",
        "company": company,
        "venue": "gen_random_uuid()",
        "address": "'127.0.0.1'",
        "request_id": "gen_random_uuid()::text",
        "new": f"'{new}'",
    }
    return dict.fromkeys(("key", "old", "old_sealed", "new_sealed"), "NULL") | known
