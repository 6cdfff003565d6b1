"""
The pages that mailed links lead to.

Looking at one changes nothing, as often as programs that check mails do it; what
a link is for happens when its form is sent. There is no script, and nothing tells
other sites the address of the page, which holds the link's secret.
"""

from collections.abc import Callable
from typing import Any, Final

from attrs import frozen
from litestar import Request, Response, Router, get, post
from litestar.concurrency import sync_to_thread
from litestar.params import FromPath

from nexus.application.identity.change_password import ChoosePassword
from nexus.domain.identity.credentials import LONGEST, SHORTEST, TooManyAttempts, UnacceptablePassword
from nexus.domain.identity.mail import AccountMail, LinkNotValid
from nexus.domain.identity.passwords import GuessablePassword, Weakness
from nexus.domain.kernel.errors import Refusal
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.problems import status_of
from nexus.entrypoints.web.pages import rendered
from nexus.entrypoints.wiring import Nexus

FORM_CSP: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

LONGEST_TYPED: Final = 1024

WHY_NOT: Final = {
    Weakness.COMMON: "That is one of the passwords that are guessed first. Choose another one.",
    Weakness.OWN_WORDS: "Without your name, your address and ours, too little of that remains. Choose another one.",
}


@frozen
class PasswordPage:
    """A page on which somebody chooses a password, in its words."""

    path: str
    title: str
    lead: str
    done: str


RESET: Final = PasswordPage(
    "/account/reset-password",
    "Choose a new password",
    "It replaces the one you have forgotten. Everybody who is signed in to your account is signed out.",
    "Your new password is set. Sign in with it from now on.",
)
INVITATION: Final = PasswordPage(
    "/account/invitation",
    "Choose your password",
    "Somebody has opened an account for you. With a password you can sign in to it.",
    "Your password is set. Sign in with your address and this password.",
)


def account_pages(nexus: Nexus) -> Router:
    """The pages below ``/account``."""
    return Router(
        "/",
        route_handlers=[
            *_forgot(nexus),
            *_choosing(nexus, RESET, AccountMail.RESET_PASSWORD, nexus.reset_password),
            *_choosing(nexus, INVITATION, AccountMail.INVITATION, nexus.accept_invitation),
            *_verifying(nexus),
        ],
        opt=allow(Policy.PUBLIC),
        include_in_schema=False,
    )


def _forgot(nexus: Nexus) -> list[Any]:
    path = "/account/forgot-password"

    @get(path, media_type="text/html", sync_to_thread=False)
    def ask() -> Response[str]:
        return _page("forgot.html")

    @post(path, media_type="text/html", status_code=200)
    async def asked(request: Request[Any, Any, Any]) -> Response[str]:
        email = await _typed(request, "email")
        return await _answered(
            lambda: nexus.ask_for_reset(email),
            lambda: _message(
                "Look at your mail",
                "If this address has an account, a link to choose a new password is on its way. It works "
                "for thirty minutes.",
            ),
        )

    return [ask, asked]


def _choosing(nexus: Nexus, page: PasswordPage, purpose: AccountMail, choose: ChoosePassword) -> list[Any]:
    path = f"{page.path}/{{token:str}}"

    def form(why_not: str | None = None, status: int = 200) -> Response[str]:
        return _page(
            "choose_password.html", status, page=page, why_not=why_not, shortest=SHORTEST, longest=LONGEST
        )

    @get(path, media_type="text/html")
    async def show(token: FromPath[str]) -> Response[str]:
        return await _answered(lambda: nexus.open_link(token, purpose), form)

    @post(path, media_type="text/html", status_code=200)
    async def chosen(token: FromPath[str], request: Request[Any, Any, Any]) -> Response[str]:
        password = await _typed(request, "password")
        try:
            return await _answered(
                lambda: choose(token, password), lambda: _message("Your password is set", page.done)
            )
        except UnacceptablePassword:
            return form(f"A password has {SHORTEST} to {LONGEST} characters.", 422)
        except GuessablePassword as refused:
            return form(WHY_NOT[refused.reason], 422)

    return [show, chosen]


def _verifying(nexus: Nexus) -> list[Any]:
    path = "/account/verify-email/{token:str}"

    @get(path, media_type="text/html")
    async def show(token: FromPath[str]) -> Response[str]:
        return await _answered(
            lambda: nexus.open_link(token, AccountMail.VERIFY_EMAIL), lambda: _page("verify_email.html")
        )

    @post(path, media_type="text/html", status_code=200)
    async def verify(token: FromPath[str]) -> Response[str]:
        return await _answered(
            lambda: nexus.verify_email(token),
            lambda: _message("Thank you", "Your address is confirmed."),
        )

    return [show, verify]


async def _typed(request: Request[Any, Any, Any], name: str) -> str:
    """What was typed into a field of the form."""
    value = (await request.form()).get(name, "")
    return value[:LONGEST_TYPED] if isinstance(value, str) else ""


async def _answered(do: Callable[[], object], then: Callable[[], Response[str]]) -> Response[str]:
    """The page for what was done, or for a link that is worth nothing."""
    try:
        await sync_to_thread(do)
    except LinkNotValid as refused:
        return _refused(
            refused,
            "This link does not work",
            "It was used already, has expired, or a newer one was sent. You can ask for another one.",
        )
    except TooManyAttempts as refused:
        answer = _refused(refused, "Too many attempts", "Please wait a while, and try again.")
        answer.headers["retry-after"] = str(refused.retry_after)
        return answer
    return then()


def _refused(refused: Refusal, title: str, text: str) -> Response[str]:
    return _page("message.html", status_of(refused), title=title, text=text, is_refused=True)


def _message(title: str, text: str) -> Response[str]:
    return _page("message.html", title=title, text=text, is_refused=False)


def _page(template: str, status: int = 200, **facts: Any) -> Response[str]:
    return rendered(template, csp=FORM_CSP, status=status, **facts)
