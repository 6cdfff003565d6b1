"""Who is asking, and for which tenant."""

from uuid import UUID

from attrs import frozen

from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId


@frozen
class Actor:
    """
    Who is asking: a signed-in person, or an integration that acts for one with an API key.

    ``session`` names the sign-in that proved it, ``key`` the API key, which can do no
    more than its ``scopes``. A restricted sign-in lacks the second factor that its role
    must have, and may only set one up.
    """

    user: UserId
    role: Role
    company: CompanyId | None = None
    venue: VenueId | None = None
    session: str | None = None
    key: UUID | None = None
    scopes: frozenset[str] = frozenset()
    is_restricted: bool = False
