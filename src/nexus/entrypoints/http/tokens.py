"""How a sign-in is told: its token, its limits, and the cookie for browsers."""

from datetime import datetime
from typing import Any, Final

from attrs import field, frozen
from litestar import Response
from litestar.datastructures import ResponseHeader

from nexus.application.identity.sessions import NewSignIn
from nexus.entrypoints.http.cookies import SessionCookie

NO_STORE: Final = {"cache-control": "no-store"}

COOKIE_SET: Final = ResponseHeader(
    name="Set-Cookie",
    documentation_only=True,
    description="The same token for browsers: HttpOnly, SameSite=Lax, behind TLS Secure; kept after the "
    "browser is closed if the sign-in is to be remembered.",
)


@frozen(kw_only=True)
class TokenView:
    """A sign-in; its token is shown this once."""

    token: str = field(
        repr=False,
        metadata={"description": "Send it as `Authorization: Bearer <token>`; its content means nothing."},
    )
    expires_at: datetime = field(metadata={"description": "When it ends, however much it is used."})
    idle_limit_seconds: int = field(
        metadata={"description": "It ends earlier when nothing was asked with it for so long."}
    )
    is_restricted: bool = field(
        metadata={
            "description": "The role must have a second factor and has none: until it is set up, everything "
            "else answers `second-factor-required`."
        }
    )

    @classmethod
    def of(cls, new: NewSignIn) -> "TokenView":
        return cls(**token_facts(new))


def token_facts(new: NewSignIn) -> dict[str, Any]:
    """What is told of every new sign-in."""
    return {
        "token": new.token,
        "expires_at": new.signed_in.expires_at,
        "idle_limit_seconds": int(new.signed_in.idle_limit.total_seconds()),
        "is_restricted": new.is_restricted,
    }


def with_cookie(view: Any, new: NewSignIn, cookie: SessionCookie) -> Response[Any]:
    """The answer that tells a new token: to be stored by the browser, and by nothing in between."""
    return Response(view, status_code=200, headers=NO_STORE, cookies=[cookie.holding(new)])
