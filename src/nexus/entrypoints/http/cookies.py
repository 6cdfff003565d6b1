"""The cookie in which a browser keeps the session's token."""

from attrs import frozen
from litestar.datastructures import Cookie

from nexus.application.identity.sessions import NewSignIn
from nexus.entrypoints.http.policies import COOKIES


@frozen
class SessionCookie:
    """
    Sets and clears the cookie: unreadable for scripts, not sent along by other sites' forms.

    Behind TLS its name binds it to this very host; browsers refuse that name
    without TLS.
    """

    https: bool

    def holding(self, new: NewSignIn) -> Cookie:
        """The cookie of a new sign-in: gone when the browser is closed, unless it is to be remembered."""
        signed_in = new.signed_in
        lasts = int((signed_in.expires_at - signed_in.created_at).total_seconds())
        return self._cookie(new.token, max_age=lasts if signed_in.is_remembered else None)

    def cleared(self) -> Cookie:
        """What makes a browser forget it."""
        return self._cookie("", max_age=0)

    def _cookie(self, value: str, *, max_age: int | None) -> Cookie:
        return Cookie(
            key=COOKIES[0] if self.https else COOKIES[1],
            value=value,
            max_age=max_age,
            path="/",
            httponly=True,
            secure=self.https,
            samesite="lax",
        )
