"""
Everything that the product says to PostgreSQL for one booking over HTTP, as a script for pgbench.

In the product's own order, in its round trips, as its role and on behalf of the family.
"""

import json
from collections.abc import Sequence
from typing import Final

from benchmarks.dataset import BOOKING, CHILD, COMPANY, SESSION, USER, Size
from benchmarks.lean import free_place, id_expression, own_event, own_values, stated
from nexus.adapters.postgres.audit import ADD_ENTRY
from nexus.adapters.postgres.booking_views import SHOW_BOOKING
from nexus.adapters.postgres.outbox import ADD_EVENT
from nexus.adapters.postgres.places import PLACE, READ_FACTS
from nexus.adapters.postgres.sign_ins import RECOGNISE
from nexus.adapters.postgres.whom import PLATFORM
from nexus.domain.compliance.audit import Action
from nexus.domain.identity.people import Role
from nexus.domain.platform.settings import PlatformSettings, keys

_SETTINGS: Final = ("scope", "user", "company", "hr", "venue")
_MADE: Final = 900
"""A kind of id that the dataset does not have: what is booked here is told apart by it."""


def whole_booking(size: Size, start: int, clients: int) -> str:
    """One request: who asks, what is known, the places, event, log and answer."""
    family, company = id_expression(USER, ":f"), id_expression(COMPANY, f"(:f % {size.companies})")
    booking, debit = id_expression(BOOKING + _MADE, ":n"), id_expression(_MADE, ":n")
    values = own_values() | {
        "company": company,
        "bookings": f"ARRAY[{booking}]",
        "debits": f"ARRAY[{debit}]",
    }
    asked = {
        "token_hash": f"sha256(convert_to('bench-{USER}-' || :f, 'UTF8'))",
        "at": "now()",
        "unnoted": "now() - interval '1 minute'",
        "required": _array(PlatformSettings().second_factor_required_roles),
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
            r"\startpipeline",
            _tell([f"'{each}'" for each in PLATFORM.values]),
            stated(RECOGNISE, asked) + ";",
            r"\endpipeline",
            r"\startpipeline",
            "BEGIN;",
            _tell(["'tenant'", f"{family}::text", f"{company}::text", "''", "''"]),
            "SET LOCAL plan_cache_mode = force_generic_plan;",
            stated(READ_FACTS, facts) + ";",
            r"\endpipeline",
            stated(PLACE, values) + ";",
            r"\startpipeline",
            stated(ADD_EVENT, own_event()) + ";",
            stated(ADD_ENTRY, _entry(booking, family, company)) + ";",
            stated(SHOW_BOOKING, {"id": booking, "parent": family}) + ";",
            r"\endpipeline",
            "COMMIT;",
        ]
    )


def _array(texts: Sequence[str] | frozenset[str]) -> str:
    stated_texts = ", ".join(f"'{each}'" for each in sorted(texts))
    return f"ARRAY[{stated_texts}]::text[]"


def _tell(values: Sequence[str]) -> str:
    told = (
        f"set_config('nexus.{name}', {value}, true)" for name, value in zip(_SETTINGS, values, strict=True)
    )
    return f"SELECT {', '.join(told)};"


def _entry(booking: str, family: str, company: str) -> dict[str, str]:
    """A row of the audit log, as long as a real one, and without a colon, which would begin a variable."""
    new = json.dumps(["session", "s" * 36, "status", "confirmed", "source", "browse", "credits", 2])
    known = {
        "id": "gen_random_uuid()",
        "category": f"'{Action.BOOKED.category.value}'",
        "action": f"'{Action.BOOKED.label}'",
        "severity": f"'{Action.BOOKED.severity.value}'",
        "entity_type": f"'{Action.BOOKED.entity.value}'",
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
