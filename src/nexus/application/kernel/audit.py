"""Recording what is done, in the transaction that does it."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from attrs import frozen

from nexus.application.kernel.caller import Caller
from nexus.application.kernel.ports import NewId
from nexus.application.kernel.vault import Seals, place
from nexus.domain.compliance.audit import Action, Deed, Sealed, must_be_recordable, plain
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId
from nexus.domain.kernel.networks import address


class Audit(Protocol):
    """
    The log of what was done.

    Entries are stored with the change itself: both or neither. Who did it, from where
    and in which request comes from the caller, when from the store's clock.
    """

    def add(self, *deeds: Deed) -> None:
        """Record the deeds in this transaction; nothing changes or removes them afterwards."""
        ...


class AuditWork(Protocol):
    """A unit of work that records what it does."""

    @property
    def audit(self) -> Audit: ...


class Cause(StrEnum):
    """Who was behind a deed."""

    PERSON = "person"
    API_KEY = "api_key"
    PLATFORM = "platform"
    NOBODY = "nobody"
    """Somebody who had not proven who they are."""


@frozen(kw_only=True)
class Doer:
    """Who did something, for whom, and from where, as the log keeps it."""

    cause: Cause
    user: UserId | None = None
    role: Role | None = None
    key: UUID | None = None
    session: str | None = None
    company: CompanyId | None = None
    venue: VenueId | None = None
    address: str | None = None
    request_id: str | None = None

    @classmethod
    def of(cls, caller: Caller) -> "Doer":
        """Whoever causes what happens now."""
        actor = caller.actor
        if actor is None:
            return cls(
                cause=Cause.PLATFORM if caller.is_platform else Cause.NOBODY,
                address=_address(caller.address),
                request_id=caller.request_id,
            )
        return cls(
            cause=Cause.PERSON if actor.key is None else Cause.API_KEY,
            user=actor.user,
            role=actor.role,
            key=actor.key,
            session=actor.session,
            company=actor.company,
            venue=actor.venue,
            address=_address(caller.address),
            request_id=caller.request_id,
        )


def _address(stated: str | None) -> str | None:
    """The IP address without its zone; a client on a socket of this machine has none."""
    found = address(stated)
    return None if found is None else str(found)


def sealed_deed(
    action: Action,
    entity: UUID,
    *,
    seals: Seals,
    new_id: NewId,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    company: CompanyId | None = None,
) -> Deed:
    """A deed whose values tell of a child: nobody reads them from the log alone."""
    entry = new_id()

    def seal(column: str, values: Mapping[str, Any] | None) -> bytes | None:
        if values is None:
            return None
        must_be_recordable(values)
        return seals.seal(json.dumps(plain(values)), context=place("audit_logs", column, entry))

    sealed = Sealed(entry=entry, old=seal("old_sealed", old), new=seal("new_sealed", new))
    return Deed(action, entity, sealed=sealed, company=company)
