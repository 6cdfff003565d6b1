"""One's own second factor."""

from datetime import datetime
from typing import Final

from attrs import field, frozen, validators
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.identity.second_factor import (
    BeginSecondFactor,
    ConfirmSecondFactor,
    Enrolled,
    FactorView,
    RemoveSecondFactor,
    RenewRecoveryCodes,
    ShowSecondFactor,
)
from nexus.application.kernel.actor import Actor
from nexus.domain.identity.credentials import TooManyAttempts
from nexus.domain.identity.second_factor import (
    CodeRequired,
    NoSecondFactor,
    NothingToConfirm,
    SecondFactorStays,
    WrongCode,
)
from nexus.domain.identity.sessions import SignInTooOld
from nexus.domain.kernel.errors import NoSuchThing
from nexus.entrypoints.http.cookies import SessionCookie
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.policies import Policy, allow, even_restricted
from nexus.entrypoints.http.tokens import COOKIE_SET, NO_STORE, TokenView, token_facts, with_cookie

LONGEST_CODE: Final = 100

CODE: Final = {
    "secret": True,
    "description": "Six digits of the app, or a recovery code; spaces, hyphens and case do not matter.",
    "examples": ["287082", "K7Q2M-9XHTR-4WVDN-PB6EC-3SYGA"],
}


@frozen(kw_only=True)
class SecondFactorBeginning:
    """What setting up a factor takes."""

    code: str | None = field(
        default=None,
        repr=False,
        validator=validators.optional(validators.max_len(LONGEST_CODE)),
        metadata=CODE | {"description": "Of the present factor, to replace it."},
    )


@frozen(kw_only=True)
class SecondFactorCode:
    """A code that proves who is asking."""

    code: str = field(repr=False, validator=validators.max_len(LONGEST_CODE), metadata=CODE)


@frozen(kw_only=True)
class EnrolmentView:
    """What the authenticator app must be told, shown this once."""

    secret: str = field(repr=False, metadata={"description": "Base32, to type in."})
    uri: str = field(repr=False, metadata={"description": "The same as a QR code says it (`otpauth:`)."})
    expires_at: datetime = field(metadata={"description": "Until when it can be confirmed."})


@frozen(kw_only=True)
class EnrolledView(TokenView):
    """Recovery codes, and the sign-in under its new token; both are shown this once."""

    recovery_codes: list[str] = field(
        repr=False,
        metadata={"description": "Each stands in for the app once. Earlier ones are worth nothing now."},
    )

    @classmethod
    def after(cls, enrolled: Enrolled) -> "EnrolledView":
        return cls(**token_facts(enrolled.sign_in), recovery_codes=list(enrolled.recovery_codes))


class SecondFactorController(Controller):
    """One's own second factor: codes of an authenticator app (TOTP), and recovery codes."""

    path = "/api/v1/me/second-factor"
    tags = ("Sign-in",)

    @get("/", sync_to_thread=True, opt=even_restricted(allow(Policy.SIGNED_IN)))
    def show(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        show_second_factor: NamedDependency[SkipValidation[ShowSecondFactor]],
    ) -> FactorView:
        """Show whether one has a second factor, and must have one."""
        return show_second_factor(actor=actor)

    @post(
        "/",
        status_code=200,
        sync_to_thread=True,
        opt=even_restricted(allow(Policy.SIGNED_IN)),
        responses=problem_responses(SignInTooOld, CodeRequired, WrongCode, TooManyAttempts, NoSuchThing),
    )
    def begin(
        self,
        *,
        data: JSONBody[SecondFactorBeginning],
        actor: NamedDependency[SkipValidation[Actor]],
        begin_second_factor: NamedDependency[SkipValidation[BeginSecondFactor]],
    ) -> Response[EnrolmentView]:
        """
        Begin to set up an authenticator app.

        Nothing changes until it is confirmed with a code of the app, within fifteen
        minutes. It takes a sign-in that is not older than ten minutes. Sent again it
        begins again with another secret: it is never kept for an Idempotency-Key.
        """
        begun = begin_second_factor(actor=actor, code=data.code)
        view = EnrolmentView(secret=begun.secret, uri=begun.uri, expires_at=begun.expires_at)
        return Response(view, headers=NO_STORE)

    @post(
        "/confirm",
        status_code=200,
        sync_to_thread=True,
        opt=even_restricted(allow(Policy.SIGNED_IN)),
        responses=problem_responses(NothingToConfirm, WrongCode, TooManyAttempts),
        response_headers=[COOKIE_SET],
    )
    def confirm(
        self,
        *,
        data: JSONBody[SecondFactorCode],
        actor: NamedDependency[SkipValidation[Actor]],
        confirm_second_factor: NamedDependency[SkipValidation[ConfirmSecondFactor]],
        session_cookie: NamedDependency[SkipValidation[SessionCookie]],
    ) -> Response[EnrolledView]:
        """
        Set the factor up with a code of the app.

        From then on signing in takes it. All sign-ins end but the present one, which
        goes on under a new token: the one that was sent is worth nothing any more.
        """
        enrolled = confirm_second_factor(data.code, actor=actor)
        return with_cookie(EnrolledView.after(enrolled), enrolled.sign_in, session_cookie)

    @post(
        "/recovery-codes",
        status_code=200,
        sync_to_thread=True,
        opt=allow(Policy.SIGNED_IN),
        responses=problem_responses(NoSecondFactor, WrongCode, TooManyAttempts),
        response_headers=[COOKIE_SET],
    )
    def renew_codes(
        self,
        *,
        data: JSONBody[SecondFactorCode],
        actor: NamedDependency[SkipValidation[Actor]],
        renew_recovery_codes: NamedDependency[SkipValidation[RenewRecoveryCodes]],
        session_cookie: NamedDependency[SkipValidation[SessionCookie]],
    ) -> Response[EnrolledView]:
        """
        Get ten new recovery codes instead of those there are.

        All sign-ins end but the present one, which goes on under a new token.
        """
        enrolled = renew_recovery_codes(data.code, actor=actor)
        return with_cookie(EnrolledView.after(enrolled), enrolled.sign_in, session_cookie)

    @post(
        "/remove",
        status_code=200,
        sync_to_thread=True,
        opt=allow(Policy.SIGNED_IN),
        responses=problem_responses(SecondFactorStays, NoSecondFactor, WrongCode, TooManyAttempts),
        response_headers=[COOKIE_SET],
    )
    def remove(
        self,
        *,
        data: JSONBody[SecondFactorCode],
        actor: NamedDependency[SkipValidation[Actor]],
        remove_second_factor: NamedDependency[SkipValidation[RemoveSecondFactor]],
        session_cookie: NamedDependency[SkipValidation[SessionCookie]],
    ) -> Response[TokenView]:
        """
        Give the second factor up, where the role may.

        All sign-ins end but the present one, which goes on under a new token.
        """
        renewed = remove_second_factor(data.code, actor=actor)
        return with_cookie(TokenView.of(renewed), renewed, session_cookie)


HANDLERS: Final[list[ControllerRouterHandler]] = [SecondFactorController]
