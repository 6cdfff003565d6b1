"""Where one is signed in, and who may sign in at all."""

from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import field, frozen, validators
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.identity.disable_user import LONGEST_REASON, DisableUser, EnableUser
from nexus.application.identity.ports import SignInEntry
from nexus.application.identity.sessions import EndOtherSignIns, EndSignIn, ListSignIns
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.identity.people import DisabledAlready, EnabledAlready, OwnAccount, Person, Role
from nexus.domain.identity.tenants import NoSeatsLeft
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.policies import Policy, allow


@frozen(kw_only=True)
class SignInPlace:
    """One of one's own sign-ins."""

    id: UUID
    is_current: bool = field(metadata={"description": "The one that this request was made with."})
    created_at: datetime
    last_seen_at: datetime = field(metadata={"description": "To the minute."})
    expires_at: datetime
    is_remembered: bool
    has_second_factor: bool = field(metadata={"description": "Whether more than a password proved it."})
    address: str | None = field(
        metadata={"description": "Where it was made from.", "examples": ["192.0.2.7"]}
    )
    device: str | None = field(
        metadata={
            "description": "What the program called itself, coarsely.",
            "examples": ["Firefox on Windows"],
        }
    )

    @classmethod
    def of(cls, entry: SignInEntry, actor: Actor) -> "SignInPlace":
        return cls(
            id=entry.id,
            is_current=str(entry.id) == actor.session,
            created_at=entry.created_at,
            last_seen_at=entry.last_seen_at,
            expires_at=entry.expires_at,
            is_remembered=entry.is_remembered,
            has_second_factor=entry.has_second_factor,
            address=entry.address,
            device=entry.device,
        )


@frozen
class SignInPlaces:
    """All of one's present sign-ins."""

    items: list[SignInPlace]


@frozen(kw_only=True)
class AdmissionReason:
    """Why an account is shut or opened."""

    reason: str = field(
        validator=[validators.min_len(1), validators.max_len(LONGEST_REASON)],
        metadata={
            "description": "For the platform's administrators.",
            "examples": ["Lost laptop, reported by phone."],
        },
    )


@frozen(kw_only=True)
class AccountView:
    """Somebody's account, as the platform's administrators see it."""

    id: UserId
    email: str
    role: Role
    company_id: CompanyId | None
    venue_id: VenueId | None
    is_active: bool

    @classmethod
    def of(cls, person: Person) -> "AccountView":
        return cls(
            id=person.id,
            email=person.email,
            role=person.role,
            company_id=person.company,
            venue_id=person.venue,
            is_active=person.is_active,
        )


class SignInsController(Controller):
    """One's own sign-ins, on every device."""

    path = "/api/v1/me/sign-ins"
    opt = allow(Policy.SIGNED_IN)
    tags = ("Sign-in",)

    @get("/", sync_to_thread=True)
    def places(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        list_sign_ins: NamedDependency[SkipValidation[ListSignIns]],
    ) -> SignInPlaces:
        """List where one is signed in, the latest first."""
        return SignInPlaces([SignInPlace.of(entry, actor) for entry in list_sign_ins(actor=actor)])

    @delete("/{sign_in_id:uuid}", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def end_one(
        self,
        *,
        sign_in_id: FromPath[UUID],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        end_one_of_my_sign_ins: NamedDependency[SkipValidation[EndSignIn]],
    ) -> Response[None]:
        """
        End one of one's sign-ins, wherever it is.

        Its next request is refused; a request of it that is being answered at this
        moment is still answered.
        """
        once = Once(begin, actor.user)
        return once(
            attempt.key,
            attempt.fingerprint,
            204,
            lambda: end_one_of_my_sign_ins(str(sign_in_id), actor=actor),
        )

    @delete("/", sync_to_thread=True)
    def end_others(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        end_other_sign_ins: NamedDependency[SkipValidation[EndOtherSignIns]],
    ) -> Response[None]:
        """End all of one's sign-ins but the present one."""
        once = Once(begin, actor.user)
        return once(attempt.key, attempt.fingerprint, 204, lambda: end_other_sign_ins(actor=actor))


class AdmissionController(Controller):
    """Who may sign in at all."""

    path = "/api/v1/admin/users/{user_id:uuid}"
    opt = allow(Policy.ADMIN)
    tags = ("Administration",)

    @post(
        "/disable",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, OwnAccount, DisabledAlready, InvalidValue),
    )
    def disable(
        self,
        *,
        user_id: FromPath[UUID],
        data: JSONBody[AdmissionReason],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        disable_user: NamedDependency[SkipValidation[DisableUser]],
    ) -> Response[AccountView]:
        """
        Shut an account: all its sign-ins end with their next request.

        Bookings stand, no more credits are allocated, and the seat is free.
        """
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: AccountView.of(disable_user(UserId(user_id), reason=data.reason, actor=actor)),
        )

    @post(
        "/enable",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, EnabledAlready, NoSeatsLeft, InvalidValue),
    )
    def enable(
        self,
        *,
        user_id: FromPath[UUID],
        data: JSONBody[AdmissionReason],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        enable_user: NamedDependency[SkipValidation[EnableUser]],
    ) -> Response[AccountView]:
        """Open a shut account again; its owner signs in anew."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: AccountView.of(enable_user(UserId(user_id), reason=data.reason)),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [SignInsController, AdmissionController]
