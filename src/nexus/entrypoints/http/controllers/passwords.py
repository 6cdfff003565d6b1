"""Passwords, and the links that mails bring."""

from typing import Final

from attrs import field, frozen, validators
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.identity.account_mail import AskForReset, AskForVerification
from nexus.application.identity.change_password import ChangePassword, ChoosePassword, VerifyEmail
from nexus.application.kernel.actor import Actor
from nexus.domain.identity.credentials import (
    LONGEST,
    SHORTEST,
    TooManyAttempts,
    UnacceptablePassword,
    WrongPassword,
)
from nexus.domain.identity.mail import LinkNotValid
from nexus.domain.identity.passwords import GuessablePassword
from nexus.domain.kernel.errors import NoSuchThing
from nexus.entrypoints.http.cookies import SessionCookie
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.tokens import COOKIE_SET, TokenView, with_cookie

LONGEST_LINK: Final = 200

_NEW_PASSWORD: Final = {
    "secret": True,
    "description": "8 to 128 characters of any kind; not among the most used ones, nor mostly one's own name.",
    "examples": ["correct horse battery staple"],
}
_TOKEN: Final = {"secret": True, "description": "The last part of the mailed link."}


@frozen(kw_only=True)
class ForgottenPassword:
    """Whose password was forgotten."""

    email: str = field(
        validator=validators.max_len(320),
        metadata={
            "description": "Upper and lower case are the same.",
            "examples": ["ada.lind@acme.example"],
        },
    )


@frozen(kw_only=True)
class MailedLink:
    """What a mailed link holds."""

    token: str = field(repr=False, validator=validators.max_len(LONGEST_LINK), metadata=_TOKEN)


@frozen(kw_only=True)
class PasswordByLink:
    """A password, chosen by a mailed link."""

    token: str = field(repr=False, validator=validators.max_len(LONGEST_LINK), metadata=_TOKEN)
    password: str = field(
        repr=False,
        validator=[validators.min_len(SHORTEST), validators.max_len(LONGEST)],
        metadata=_NEW_PASSWORD,
    )


@frozen(kw_only=True)
class PasswordChange:
    """The present password and the next."""

    current_password: str = field(
        repr=False,
        validator=validators.max_len(1024),
        metadata={"secret": True, "examples": ["a long secret of last year"]},
    )
    new_password: str = field(
        repr=False,
        validator=[validators.min_len(SHORTEST), validators.max_len(LONGEST)],
        metadata=_NEW_PASSWORD,
    )


@frozen(kw_only=True)
class UnderWay:
    """Told to everybody who asks for a mail, whatever comes of it."""

    detail: str = field(
        default="If there is somebody to write to, a mail is on its way.",
        metadata={"description": "The same for everybody."},
    )


class LinkController(Controller):
    """What people do by mailed links, signed in or not."""

    path = "/api/v1/auth"
    opt = allow(Policy.PUBLIC)
    tags = ("Passwords",)

    @post(
        "/password-reset", status_code=202, sync_to_thread=True, responses=problem_responses(TooManyAttempts)
    )
    def forget_password(
        self,
        *,
        data: JSONBody[ForgottenPassword],
        ask_for_reset: NamedDependency[SkipValidation[AskForReset]],
    ) -> UnderWay:
        """
        Have a link sent with which a forgotten password is replaced.

        The answer is the same whether or not the address has an account. The link is
        good once, for thirty minutes; asking again makes the one before worthless.
        """
        ask_for_reset(data.email)
        return UnderWay()

    @post(
        "/password-reset/confirm",
        status_code=204,
        sync_to_thread=True,
        responses=problem_responses(LinkNotValid, UnacceptablePassword, GuessablePassword, TooManyAttempts),
    )
    def replace_password(
        self,
        *,
        data: JSONBody[PasswordByLink],
        reset_password: NamedDependency[SkipValidation[ChoosePassword]],
    ) -> None:
        """
        Replace a forgotten password by the mailed link.

        Whoever was signed in to the account is signed out everywhere; nobody is
        signed in by this. A password that may not be chosen leaves the link good.
        """
        reset_password(data.token, data.password)

    @post(
        "/accept-invitation",
        status_code=204,
        sync_to_thread=True,
        responses=problem_responses(LinkNotValid, UnacceptablePassword, GuessablePassword, TooManyAttempts),
    )
    def choose_first_password(
        self,
        *,
        data: JSONBody[PasswordByLink],
        accept_invitation: NamedDependency[SkipValidation[ChoosePassword]],
    ) -> None:
        """
        Choose the first password of an account that somebody opened for you.

        The link is good once, for fourteen days.
        """
        accept_invitation(data.token, data.password)

    @post(
        "/verify-email",
        status_code=204,
        sync_to_thread=True,
        responses=problem_responses(LinkNotValid, TooManyAttempts),
    )
    def prove_address(
        self, *, data: JSONBody[MailedLink], verify_email: NamedDependency[SkipValidation[VerifyEmail]]
    ) -> None:
        """
        Prove by the mailed link that an address is one's own.

        The link is good once, for 24 hours.
        """
        verify_email(data.token)


class OwnPasswordController(Controller):
    """One's own password and address."""

    path = "/api/v1/me"
    opt = allow(Policy.SIGNED_IN)
    tags = ("Passwords",)

    @post(
        "/password",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(
            WrongPassword, UnacceptablePassword, GuessablePassword, TooManyAttempts, NoSuchThing
        ),
        response_headers=[COOKIE_SET],
    )
    def replace_own_password(
        self,
        *,
        data: JSONBody[PasswordChange],
        actor: NamedDependency[SkipValidation[Actor]],
        change_password: NamedDependency[SkipValidation[ChangePassword]],
        session_cookie: NamedDependency[SkipValidation[SessionCookie]],
    ) -> Response[TokenView]:
        """
        Change one's password.

        The present sign-in goes on under a new token, all others end. There is no
        Idempotency-Key here: the answer holds a secret that is kept nowhere, and
        sent again, the request comes with a token that has ended.
        """
        renewed = change_password(data.current_password, data.new_password, actor=actor)
        return with_cookie(TokenView.of(renewed), renewed, session_cookie)

    @post(
        "/verify-email",
        status_code=202,
        sync_to_thread=True,
        responses=problem_responses(TooManyAttempts, NoSuchThing),
    )
    def ask_for_proof(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        ask_for_verification: NamedDependency[SkipValidation[AskForVerification]],
    ) -> UnderWay:
        """Have the link sent again that proves one's address; nothing is sent once it is proven."""
        ask_for_verification(actor=actor)
        return UnderWay()


HANDLERS: Final[list[ControllerRouterHandler]] = [LinkController, OwnPasswordController]
