"""Who can sign in to look around: one fixed account of each role, with one password for all."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from nexus.domain.identity.people import Role

DEMO_PASSWORD: Final = "picnic-by-the-lake"  # noqa: S105 - told to everybody on the first page
"""The password of every account of the demo world."""


EASY_SIGN_IN: Final[Mapping[str, Any]] = {"second_factor_required_roles": []}
"""The platform's settings in the demo world: nobody needs more than the password that everybody knows."""


@frozen
class DemoAccount:
    """An account to look around with, and what there is to see."""

    role: Role
    email: str
    about: str


PARENT: Final = DemoAccount(
    Role.PARENT,
    "parent@demo.example",
    "Maya has two children, credits, a coming session, an offer to answer, and some history",
)
HR_ADMIN: Final = DemoAccount(
    Role.HR_ADMIN, "hr@demo.example", "Daniel looks after sixteen families at Lakewright Robotics"
)
VENUE_ADMIN: Final = DemoAccount(
    Role.VENUE_ADMIN,
    "venue@demo.example",
    "Marigold Street Studio confirms bookings itself, and some are waiting",
)
PLATFORM_ADMIN: Final = DemoAccount(
    Role.PLATFORM_ADMIN,
    "admin@demo.example",
    "Sees every company and venue; one venue waits to be approved",
)

DEMO_ACCOUNTS: Final = (PARENT, HR_ADMIN, VENUE_ADMIN, PLATFORM_ADMIN)
