"""Everybody's API keys, as the platform looks after them: find a leaked one, end it."""

from collections.abc import Sequence

from attrs import frozen

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock
from nexus.application.platform.api_key_ports import AnyKeyView, ApiKeyWork, Newest
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import ApiKeyId


@frozen
class SearchApiKeys:
    """Keys by the beginning of their prefix and by their owner's e-mail address; newest first."""

    begin: Begin[ApiKeyWork]
    now: Clock

    def __call__(
        self,
        *,
        prefix: str | None = None,
        email: str | None = None,
        after: Newest | None = None,
        limit: int = 20,
    ) -> Sequence[AnyKeyView]:
        with self.begin() as work:
            return work.api_keys.search(prefix=prefix, email=email, at=self.now(), after=after, limit=limit)


@frozen
class RevokeAnyApiKey:
    """End anybody's key at once, with a reason; what is revoked already stays so for its first reason."""

    begin: Begin[ApiKeyWork]
    now: Clock

    def __call__(self, key_id: ApiKeyId, *, actor: Actor, reason: str) -> AnyKeyView:
        """
        Raises:
            NoSuchThing: There is no such key.
            InvalidValue: The reason is no text.
        """
        at = self.now()
        with self.begin() as work:
            stored = work.api_keys.lock_any(key_id)
            if stored is None:
                raise NoSuchThing("api_key")
            work.api_keys.change(stored.key.revoked(at=at, by=actor.user, reason=reason))
            work.audit.add(
                Deed(
                    Action.API_KEY_REVOKED,
                    key_id,
                    new={"prefix": stored.key.prefix},
                    company=stored.company,
                    venue=stored.venue,
                )
            )
            view = work.api_keys.show_any(key_id, at=at)
        if view is None:
            raise NoSuchThing("api_key")
        return view
