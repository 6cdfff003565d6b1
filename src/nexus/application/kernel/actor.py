"""Who is asking, and for which tenant."""

from attrs import frozen

from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId


@frozen
class Actor:
    """A signed-in person; ``session`` names the sign-in that proved it."""

    user: UserId
    role: Role
    company: CompanyId | None = None
    venue: VenueId | None = None
    session: str | None = None
