"""On whose behalf statements run, as PostgreSQL is told."""

from typing import Final, LiteralString, Self
from uuid import UUID

from attrs import field, frozen

from nexus.application.kernel.caller import Caller
from nexus.domain.identity.people import Role

TELL_WHOM: Final[LiteralString] = """
    SELECT set_config('nexus.scope', $1, true), set_config('nexus.user', $2, true),
           set_config('nexus.company', $3, true), set_config('nexus.hr', $4, true),
           set_config('nexus.venue', $5, true)
"""
"""Until the transaction ends, and no longer: what is set here never reaches who uses the connection next."""


def _text(value: UUID | None) -> str:
    return "" if value is None else str(UUID(int=value.int))


@frozen
class Whom:
    """
    The settings that the policies of row-level security compare rows with.

    Empty means: nothing matches. ``hr`` is the company of somebody who works for
    its HR; ``company`` is that of everybody who belongs to one.
    """

    scope: str
    user: str = ""
    company: str = ""
    hr: str = ""
    venue: str = ""
    values: tuple[str, str, str, str, str] = field(init=False, repr=False, eq=False)

    @values.default
    def _values(self) -> tuple[str, str, str, str, str]:
        return (self.scope, self.user, self.company, self.hr, self.venue)

    @classmethod
    def of(cls, caller: Caller) -> Self:
        """Whom the database sees in this caller; a platform admin acts for the platform."""
        actor = caller.actor
        if caller.is_platform or (actor is not None and actor.role is Role.PLATFORM_ADMIN):
            return cls("platform", user=_text(actor.user if actor else None))
        if actor is None:
            return cls("tenant")
        return cls(
            "tenant",
            user=_text(actor.user),
            company=_text(actor.company),
            hr=_text(actor.company if actor.role is Role.HR_ADMIN else None),
            venue=_text(actor.venue),
        )


PLATFORM: Final = Whom("platform")
"""Jobs, events, terminals, and what happens before it is known who asks."""
