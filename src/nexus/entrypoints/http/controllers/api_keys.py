"""API keys: what integrations show instead of a person who signs in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from attrs import field, frozen, validators
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.application.platform.all_api_keys import RevokeAnyApiKey, SearchApiKeys
from nexus.application.platform.api_key_ports import AnyKeyView, KeyView
from nexus.application.platform.own_api_keys import (
    KeyWish,
    ListApiKeys,
    MadeKey,
    MakeApiKey,
    RevokeApiKey,
    RotateApiKey,
    ShowApiKey,
)
from nexus.application.platform.scopes import NoSuchScope
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import ApiKeyId
from nexus.domain.platform.api_keys import (
    LONGEST_NAME,
    LONGEST_OVERLAP,
    LONGEST_TEXT,
    MOST_NETWORKS,
    MOST_PER_DAY,
    MOST_PER_MINUTE,
    PER_DAY,
    PER_MINUTE,
    PREFIX_LENGTH,
    USUAL_OVERLAP,
    KeyEnded,
    KeyType,
    LifeTooLong,
    RotatedAlready,
    TooManyKeys,
)
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.scalars import Int4
from nexus.entrypoints.http.tokens import NO_STORE

_NEWEST: Final = Keyset("api-keys", datetime, UUID)
_ANYBODYS: Final = Keyset("all-api-keys", datetime, UUID)
_HOUR: Final = timedelta(hours=1)


@frozen(kw_only=True)
class KeyBody:
    """What a key shall be for."""

    name: str = field(
        validator=[validators.min_len(1), validators.max_len(LONGEST_NAME)],
        metadata={"examples": ["Front desk tablet"]},
    )
    description: str | None = field(
        default=None, validator=validators.optional(validators.max_len(LONGEST_TEXT))
    )
    key_type: KeyType = field(
        default=KeyType.INTEGRATION, metadata={"description": "For your own order; decides nothing."}
    )
    scopes: list[str] = field(
        validator=[validators.min_len(1), validators.max_len(50)],
        metadata={
            "description": "What it may do: scopes of your role.",
            "examples": [["read:sessions", "write:bookings"]],
        },
    )
    rate_limit_per_minute: Int4 = field(
        default=PER_MINUTE, validator=[validators.ge(1), validators.le(MOST_PER_MINUTE)]
    )
    rate_limit_per_day: Int4 = field(
        default=PER_DAY, validator=[validators.ge(1), validators.le(MOST_PER_DAY)]
    )
    allowed_networks: list[str] = field(
        factory=list,
        validator=validators.max_len(MOST_NETWORKS),
        metadata={
            "description": "Where it is accepted from, in CIDR notation; empty: anywhere.",
            "examples": [["203.0.113.0/24", "2001:db8::/32"]],
        },
    )
    expires_at: datetime | None = field(
        default=None, metadata={"description": "Within a year; in ninety days when left out."}
    )

    def wish(self) -> KeyWish:
        """The key, as the use case asks for it."""
        return KeyWish(
            name=self.name,
            description=self.description,
            key_type=self.key_type,
            scopes=self.scopes,
            per_minute=self.rate_limit_per_minute,
            per_day=self.rate_limit_per_day,
            networks=self.allowed_networks,
            expires_at=self.expires_at,
        )


@frozen(kw_only=True)
class Rotation:
    """How a key makes way for its successor."""

    overlap_hours: Int4 = field(
        default=USUAL_OVERLAP // _HOUR,
        validator=[validators.ge(0), validators.le(LONGEST_OVERLAP // _HOUR)],
        metadata={"description": "For so long the old key is still accepted; 0: it ends at once."},
    )


@frozen(kw_only=True)
class Withdrawal:
    """Why one's own key is revoked."""

    reason: str | None = field(
        default=None,
        validator=validators.optional([validators.min_len(1), validators.max_len(LONGEST_TEXT)]),
        metadata={"examples": ["The tablet was stolen."]},
    )


@frozen(kw_only=True)
class Revocation:
    """Why somebody's key is revoked."""

    reason: str = field(
        validator=[validators.min_len(1), validators.max_len(LONGEST_TEXT)],
        metadata={"examples": ["Found in a public repository."]},
    )


@frozen(kw_only=True)
class NewKeyView:
    """A new key; it is shown this once."""

    token: str | None = field(
        repr=False,
        metadata={
            "description": "Send it as `Authorization: Bearer <token>`. Null where an earlier answer is "
            "repeated: it is kept nowhere."
        },
    )
    key: KeyView


def _made_once(once: Once, attempt: Attempt, make: Callable[[], MadeKey]) -> Response[NewKeyView]:
    """The answer to a command that makes a key; what is remembered of it does not hold the key."""
    made: list[MadeKey] = []

    def run() -> NewKeyView:
        made.append(make())
        return NewKeyView(token=None, key=made[0].view)

    answer = once(attempt.key, attempt.fingerprint, 201, run)
    if made:
        view = NewKeyView(token=made[0].text, key=made[0].view)
        return Response(view, status_code=201, headers=NO_STORE)
    answer.headers.update(NO_STORE)
    return answer


class OwnKeyController(Controller):
    """The keys that somebody made."""

    path = "/api/v1/me/api-keys"
    opt = allow(Policy.STAFF)
    tags = ("API keys",)

    @get("/", sync_to_thread=True)
    def browse(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        list_api_keys: NamedDependency[SkipValidation[ListApiKeys]],
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[KeyView]:
        """List one's keys, newest first, those that ended included."""
        rows = list_api_keys(actor=actor, after=_NEWEST.after(cursor), limit=limit + 1)
        return _NEWEST.page(rows, limit, lambda row: (row.created_at, row.id), lambda row: row)

    @post(
        "/",
        sync_to_thread=True,
        responses=problem_responses(NoSuchScope, InvalidValue, LifeTooLong, TooManyKeys),
    )
    def make(
        self,
        *,
        data: JSONBody[KeyBody],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        make_api_key: NamedDependency[SkipValidation[MakeApiKey]],
    ) -> Response[NewKeyView]:
        """
        Make an API key.

        It acts for you, within your company or venue as it is now, and dies with the
        account. It is shown once.
        """
        return _made_once(Once(begin, actor.user), attempt, lambda: make_api_key(data.wish(), actor=actor))

    @get("/{key_id:uuid}", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def show(
        self,
        *,
        key_id: FromPath[ApiKeyId],
        actor: NamedDependency[SkipValidation[Actor]],
        show_api_key: NamedDependency[SkipValidation[ShowApiKey]],
    ) -> KeyView:
        """Show one of one's keys, and when it was last used."""
        return show_api_key(key_id, actor=actor)

    @post(
        "/{key_id:uuid}/rotate",
        sync_to_thread=True,
        responses=problem_responses(
            NoSuchThing, KeyEnded, RotatedAlready, TooManyKeys, NoSuchScope, InvalidValue
        ),
    )
    def rotate(
        self,
        *,
        key_id: FromPath[ApiKeyId],
        data: JSONBody[Rotation],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        rotate_api_key: NamedDependency[SkipValidation[RotateApiKey]],
    ) -> Response[NewKeyView]:
        """
        Make a successor with the same rights, shown once; the old key lives on for an overlap.

        The successor lives as long as the old key was meant to.
        """
        return _made_once(
            Once(begin, actor.user),
            attempt,
            lambda: rotate_api_key(key_id, actor=actor, overlap=data.overlap_hours * _HOUR),
        )

    @post(
        "/{key_id:uuid}/revoke",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, InvalidValue),
    )
    def revoke(
        self,
        *,
        key_id: FromPath[ApiKeyId],
        data: JSONBody[Withdrawal],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        revoke_api_key: NamedDependency[SkipValidation[RevokeApiKey]],
    ) -> Response[KeyView]:
        """End one of one's keys at once; a successor that it was rotated to lives on."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: revoke_api_key(key_id, actor=actor, reason=data.reason),
        )


class AllKeysController(Controller):
    """Everybody's keys, for whoever looks after the platform."""

    path = "/api/v1/admin/api-keys"
    opt = allow(Policy.ADMIN)
    tags = ("Administration",)

    @get("/", sync_to_thread=True)
    def search(
        self,
        *,
        search_api_keys: NamedDependency[SkipValidation[SearchApiKeys]],
        prefix: Annotated[
            str | None,
            QueryParameter(
                pattern=rf"^[0-9a-z]{{1,{PREFIX_LENGTH}}}$",
                description="Only keys whose prefix, the letters after `nxk_`, begins so. Never the whole key.",
            ),
        ] = None,
        email: Annotated[
            str | None,
            QueryParameter(max_length=320, description="Only keys of the account with this address."),
        ] = None,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[AnyKeyView]:
        """Find API keys by prefix or owner, newest first, with their use."""
        rows = search_api_keys(prefix=prefix, email=email, after=_ANYBODYS.after(cursor), limit=limit + 1)
        return _ANYBODYS.page(rows, limit, lambda row: (row.created_at, row.id), lambda row: row)

    @post(
        "/{key_id:uuid}/revoke",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, InvalidValue),
    )
    def revoke(
        self,
        *,
        key_id: FromPath[ApiKeyId],
        data: JSONBody[Revocation],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        revoke_any_api_key: NamedDependency[SkipValidation[RevokeAnyApiKey]],
    ) -> Response[AnyKeyView]:
        """End anybody's key at once, with a reason that its owner sees; look at its successor too."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: revoke_any_api_key(key_id, actor=actor, reason=data.reason),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [OwnKeyController, AllKeysController]
