"""What API keys may be made for: scopes, by the role of whoever makes the key."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from attrs import frozen

from nexus.domain.identity.people import Role
from nexus.domain.kernel.errors import Invalid

_EVERYBODY: Final = {"read:activities": "Look through the catalogue."}

SCOPES: Final[Mapping[Role, Mapping[str, str]]] = MappingProxyType(
    {
        Role.PARENT: {},
        Role.HR_ADMIN: {
            **_EVERYBODY,
            "read:employees": "List the company's people and see its use of the pass in sum.",
            "write:employees": "Note who leaves the company.",
        },
        Role.VENUE_ADMIN: {
            **_EVERYBODY,
            "write:activities": "Describe the venue's activities.",
            "read:sessions": "List the venue's sessions and schedules.",
            "write:sessions": "Plan, change and call off sessions and schedules.",
            "write:bookings": "Confirm, reject and cancel bookings, and mark attendance.",
            "read:rosters": "See who is expected: children's first names, ages and needs.",
        },
        Role.PLATFORM_ADMIN: {
            **_EVERYBODY,
            "read:companies": "List companies and subscriptions.",
            "write:companies": "Take companies on and sell subscriptions.",
            "write:credits": "Correct what an employee has.",
            "read:venues": "List venues.",
            "write:venues": "Add, approve, reject and suspend venues.",
        },
    }
)
"""
Each scope with what it allows.

A key acts for a company, a venue or the platform, never for a family: parents make
none, and nothing of the families' own can be reached with one. A test holds this
list to the routes.
"""


@frozen
class NoSuchScope(Invalid):
    """A key may be made for the scopes of its maker's role only."""

    scopes: list[str]
    available: list[str]


def scopes_for(role: Role, wanted: Iterable[str]) -> frozenset[str]:
    """
    The scopes that are wanted, each once.

    Raises:
        NoSuchScope: None is, or one is not for this role.
    """
    asked = frozenset(wanted)
    beyond = asked - SCOPES[role].keys()
    if beyond or not asked:
        raise NoSuchScope(sorted(beyond), sorted(SCOPES[role]))
    return asked
