"""
To whom belongs what an id names: declared once, for paths, queries and bodies alike.

Of what belongs to others, whoever asks learns nothing: the answer is the one for
an id that does not exist. The authorization matrix derives its expectations
from here. An id in a path that nobody declared stops the application from starting.
"""

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from litestar import Litestar
from litestar.exceptions import ImproperlyConfiguredException

from nexus.entrypoints.http.policies import Policy, policy_of, routes_of


class Owner(Enum):
    """Within what an id means something to whoever asks."""

    USER = "one person"
    COMPANY = "one company"
    VENUE = "one venue"
    EVERYBODY = "the catalogue, which everybody signed in may read"
    PLATFORM = "the whole platform, which administrators run"


OWNERS: Final[Mapping[Policy, Mapping[str, Owner]]] = MappingProxyType({
    Policy.SIGNED_IN: {
        "activity_id": Owner.EVERYBODY,
        "session_id": Owner.EVERYBODY,
        "child_id": Owner.USER,
        "sign_in_id": Owner.USER,
    },
    Policy.FAMILY: {
        "booking_id": Owner.USER,
        "child_id": Owner.USER,
        "child_ids": Owner.USER,
        "entry_id": Owner.USER,
        "notification_id": Owner.USER,
        "original_booking_id": Owner.USER,
        "session_id": Owner.EVERYBODY,
    },
    Policy.VENUE: {
        "activity_id": Owner.VENUE,
        "booking_id": Owner.VENUE,
        "schedule_id": Owner.VENUE,
        "session_id": Owner.VENUE,
    },
    Policy.HR: {
        "employee_id": Owner.COMPANY,
    },
    Policy.STAFF: {
        "key_id": Owner.USER,
    },
    Policy.ADMIN: {
        "company_id": Owner.PLATFORM,
        "entity_id": Owner.PLATFORM,
        "entry_id": Owner.PLATFORM,
        "key_id": Owner.PLATFORM,
        "user_id": Owner.PLATFORM,
        "venue_id": Owner.PLATFORM,
    },
})  # fmt: skip


def owner_of(policy: Policy, name: str) -> Owner | None:
    """To whom belongs what the id *name* names, on routes with this policy; ``None``: undeclared."""
    return OWNERS.get(policy, {}).get(name)


def require_owners(app: Litestar) -> None:
    """
    Let no id be served whose owner nobody thought of.

    Raises:
        ImproperlyConfiguredException: A path that is not public names one without a declared owner.
    """
    bare = {
        f"{{{name}}} at {path}"
        for path, _, handler in routes_of(app)
        for name in re.findall(r"{(\w+)}", path)
        if (policy := policy_of(handler)) is not None
        and policy is not Policy.PUBLIC
        and owner_of(policy, name) is None
    }
    if bare:
        raise ImproperlyConfiguredException(f"no owner is declared for {', '.join(sorted(bare))}")
