"""Who is asking: sign in, sign out, and what the pass knows about oneself."""

from datetime import datetime
from typing import Final

from attrs import field, frozen, validators
from litestar import Controller, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.identity.sign_in import ShowMe, SignIn, SignOut
from nexus.application.identity.views import Me
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.identity.credentials import TooManyAttempts, WrongCredentials
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId
from nexus.entrypoints.http.cookies import SessionCookie
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.policies import Policy, allow

NO_STORE: Final = {"cache-control": "no-store"}


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
        )


@frozen(kw_only=True)
class SignInView:
    """A new sign-in; its token is shown this once."""

    token: str = field(
        repr=False,
        metadata={"description": "Send it as `Authorization: Bearer <token>`; its content means nothing."},
    )
    expires_at: datetime
    password_is_short: bool = field(
        metadata={"description": "Whether to advise a longer password: it has under 15 characters."}
    )
    me: MeView


class AuthController(Controller):
    """Signing in and out."""

    path = "/api/v1/auth"
    tags = ("Sign-in",)

    @post(
        "/sign-in",
        status_code=200,
        sync_to_thread=True,
        opt=allow(Policy.PUBLIC),
        responses=problem_responses(WrongCredentials, TooManyAttempts),
        response_headers=[
            ResponseHeader(
                name="Set-Cookie",
                documentation_only=True,
                description="The same token for browsers: HttpOnly, SameSite=Lax, behind TLS Secure.",
            )
        ],
    )
    def sign_in_with_password(
        self,
        *,
        data: JSONBody[PasswordSignIn],
        sign_in: NamedDependency[SkipValidation[SignIn]],
        session_cookie: NamedDependency[SkipValidation[SessionCookie]],
    ) -> Response[SignInView]:
        """
        Sign in with a password.

        The token is always a new one, whatever was sent along, and lasts thirty
        days or until signing out. Which of address and password was wrong, or
        whether there is such an account, is not told. After ten wrong attempts
        the next ones are refused for a while, known address or not.
        """
        signed_in = sign_in(data.email, data.password)
        view = SignInView(
            token=signed_in.token,
            expires_at=signed_in.expires_at,
            password_is_short=signed_in.password_is_short,
            me=MeView.of(signed_in.me),
        )
        return Response(view, headers=NO_STORE, cookies=[session_cookie.holding(signed_in.token)])

    @post("/sign-out", status_code=204, sync_to_thread=True, opt=allow(Policy.SIGNED_IN))
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


@get("/api/v1/me", sync_to_thread=True, opt=allow(Policy.SIGNED_IN), tags=("Sign-in",))
def show_oneself(
    actor: NamedDependency[SkipValidation[Actor]], show_me: NamedDependency[SkipValidation[ShowMe]]
) -> MeView:
    """Show who is signed in."""
    return MeView.of(show_me(actor=actor))


HANDLERS: Final[list[ControllerRouterHandler]] = [AuthController, show_oneself]
