"""The cookie in which a browser keeps the session's token."""

from attrs import frozen
from litestar.datastructures import Cookie

from nexus.domain.identity.credentials import SIGNED_IN_FOR
from nexus.entrypoints.http.policies import COOKIES


@frozen
class SessionCookie:
    """
    Sets and clears the cookie: unreadable for scripts, not sent along by other sites' forms.

    Behind TLS its name binds it to this very host; browsers refuse that name
    without TLS.
    """

    https: bool

    def holding(self, token: str) -> Cookie:
        """The cookie of a new sign-in, kept for as long as the sign-in lasts."""
        return self._cookie(token, max_age=int(SIGNED_IN_FOR.total_seconds()))

    def cleared(self) -> Cookie:
        """What makes a browser forget it."""
        return self._cookie("", max_age=0)

    def _cookie(self, value: str, *, max_age: int) -> Cookie:
        return Cookie(
            key=COOKIES[0] if self.https else COOKIES[1],
            value=value,
            max_age=max_age,
            path="/",
            httponly=True,
            secure=self.https,
            samesite="lax",
        )
