"""Who is asking: sign in, sign out, and what the pass knows about oneself."""

from datetime import datetime
from typing import Any, Final

from attrs import field, frozen, validators
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.identity.complete_sign_in import CompleteSignIn
from nexus.application.identity.sign_in import ShowMe, SignIn, SignInResult, SignOut
from nexus.application.identity.views import Me, SecondFactorNeeded
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.identity.credentials import TooManyAttempts, WrongCredentials
from nexus.domain.identity.people import Role
from nexus.domain.identity.second_factor import ChallengeEnded, WrongCode
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId
from nexus.entrypoints.http.cookies import SessionCookie
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.policies import Policy, allow, even_restricted
from nexus.entrypoints.http.tokens import COOKIE_SET, NO_STORE, TokenView, token_facts, with_cookie
from nexus.entrypoints.http.views import encode


@frozen(kw_only=True)
class PasswordSignIn:
    """What somebody signs in with."""

    email: str = field(
        validator=validators.max_len(320),
        metadata={
            "description": "Upper and lower case are the same.",
            "examples": ["ada.lind@acme.example"],
        },
    )
    password: str = field(
        repr=False,
        validator=validators.max_len(1024),
        metadata={"secret": True, "examples": ["correct horse battery staple"]},
    )
    remember: bool = field(
        default=False,
        metadata={
            "description": "Stay signed in for thirty days (fourteen without use), also after the browser is "
            "closed; otherwise for twelve hours (one without use)."
        },
    )


@frozen(kw_only=True)
class ChallengeAnswer:
    """The second half of a sign-in."""

    challenge: str = field(
        repr=False,
        validator=validators.max_len(200),
        metadata={"secret": True, "description": "What the first half was answered with."},
    )
    code: str = field(
        repr=False,
        validator=validators.max_len(100),
        metadata={
            "secret": True,
            "description": "Six digits of the app, or a recovery code.",
            "examples": ["287082"],
        },
    )


@frozen(kw_only=True)
class ChallengeView:
    """The password was right; a second factor is needed. This is no sign-in yet."""

    challenge: str = field(
        repr=False,
        metadata={
            "description": "Send it with a code to `/auth/second-factor`; it is good for nothing else."
        },
    )
    expires_at: datetime


@frozen(kw_only=True)
class MeView:
    """Who somebody is on the pass, and where they belong."""

    id: UserId
    email: str
    role: Role
    first_name: str
    last_name: str
    company_id: CompanyId | None = field(metadata={"description": "Of parents and HR; null for others."})
    company_name: str | None
    venue_id: VenueId | None = field(metadata={"description": "Of whoever runs a venue; null for others."})
    venue_name: str | None
    time_zone: str = field(metadata={"description": "IANA name.", "examples": ["America/Chicago"]})
    joined_at: datetime
    email_verified: bool = field(
        metadata={
            "description": "Whether a mail proved that the address is theirs; nothing depends on it yet."
        }
    )

    @classmethod
    def of(cls, me: Me) -> "MeView":
        return cls(
            id=me.id,
            email=me.email,
            role=me.role,
            first_name=me.first_name,
            last_name=me.last_name,
            company_id=me.company,
            company_name=me.company_name,
            venue_id=me.venue,
            venue_name=me.venue_name,
            time_zone=me.time_zone,
            joined_at=me.joined_at,
            email_verified=me.email_verified_at is not None,
        )


@frozen(kw_only=True)
class SignInView(TokenView):
    """A new sign-in; its token is shown this once."""

    password_is_short: bool | None = field(
        metadata={
            "description": "Whether to advise a longer password: it has under 15 characters. Null where no "
            "password was sent."
        }
    )
    me: MeView

    @classmethod
    def after(cls, result: SignInResult) -> "SignInView":
        return cls(
            **token_facts(result.sign_in),
            password_is_short=result.password_is_short,
            me=MeView.of(result.me),
        )


class AuthController(Controller):
    """Signing in and out."""

    path = "/api/v1/auth"
    tags = ("Sign-in",)

    @post(
        "/sign-in",
        status_code=200,
        sync_to_thread=True,
        opt=allow(Policy.PUBLIC),
        responses={
            202: ResponseSpec(data_container=ChallengeView, description="A second factor is needed."),
            **problem_responses(WrongCredentials, TooManyAttempts),
        },
        response_headers=[COOKIE_SET],
    )
    def sign_in_with_password(
        self,
        *,
        data: JSONBody[PasswordSignIn],
        sign_in: NamedDependency[SkipValidation[SignIn]],
        device: NamedDependency[str | None],
        session_cookie: NamedDependency[SkipValidation[SessionCookie]],
    ) -> Response[SignInView]:
        """
        Sign in with a password.

        Where a second factor is set up this answers 202 with a challenge; sent to
        `/auth/second-factor` with a code it completes the sign-in. The token is always
        a new one, whatever was sent along. Which of address and password was wrong, or
        whether there is such an account, is not told. After ten wrong attempts
        the next ones are refused for a while, known address or not.
        """
        result = sign_in(data.email, data.password, remember=data.remember, device=device)
        if isinstance(result, SecondFactorNeeded):
            needed: Any = encode(ChallengeView(challenge=result.challenge, expires_at=result.expires_at))
            return Response(needed, status_code=202, media_type=MediaType.JSON, headers=NO_STORE)
        return with_cookie(SignInView.after(result), result.sign_in, session_cookie)

    @post(
        "/second-factor",
        status_code=200,
        sync_to_thread=True,
        opt=allow(Policy.PUBLIC),
        responses=problem_responses(ChallengeEnded, WrongCode, TooManyAttempts),
        response_headers=[COOKIE_SET],
    )
    def sign_in_with_second_factor(
        self,
        *,
        data: JSONBody[ChallengeAnswer],
        complete_sign_in: NamedDependency[SkipValidation[CompleteSignIn]],
        device: NamedDependency[str | None],
        session_cookie: NamedDependency[SkipValidation[SessionCookie]],
    ) -> Response[SignInView]:
        """
        Complete a sign-in with a second factor.

        A challenge lasts five minutes and five tries, and is good for one sign-in. A
        code is good for one time, also when it is sent twice at the same moment.
        """
        result = complete_sign_in(data.challenge, data.code, device=device)
        return with_cookie(SignInView.after(result), result.sign_in, session_cookie)

    @post("/sign-out", status_code=204, sync_to_thread=True, opt=even_restricted(allow(Policy.SIGNED_IN)))
    def end_sign_in(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        sign_out: NamedDependency[SkipValidation[SignOut]],
        session_cookie: NamedDependency[SkipValidation[SessionCookie]],
    ) -> Response[None]:
        """End the sign-in that this request was made with; its token is worth nothing from then on."""
        once = Once(begin, actor.user)
        answer: Response[None] = once(attempt.key, attempt.fingerprint, 204, lambda: sign_out(actor=actor))
        answer.set_cookie(session_cookie.cleared())
        return answer


@get("/api/v1/me", sync_to_thread=True, opt=even_restricted(allow(Policy.SIGNED_IN)), tags=("Sign-in",))
def show_oneself(
    actor: NamedDependency[SkipValidation[Actor]], show_me: NamedDependency[SkipValidation[ShowMe]]
) -> MeView:
    """Show who is signed in."""
    return MeView.of(show_me(actor=actor))


HANDLERS: Final[list[ControllerRouterHandler]] = [AuthController, show_oneself]
