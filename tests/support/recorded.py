"""What the audit log must know: every command that worked, every look at what few may see."""

import re
from functools import cache
from typing import Any, Final

import httpx
import psycopg
from litestar import Litestar

from nexus.entrypoints.http.policies import routes_of

ASKING: Final = frozenset({"/api/v1/bookings/quote"})
"""Commands by their method only: they change nothing."""

KNOWS: Final = "SELECT EXISTS (SELECT FROM audit_logs WHERE request_id = %s)"


@cache
def _sensitive(app: Litestar) -> tuple[re.Pattern[str], ...]:
    return tuple(
        re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)))
        for path, method, handler in routes_of(app)
        if method == "GET" and handler.opt.get("sensitive")
    )


def must_be_recorded(app: Litestar, method: str, path: str, answer: httpx.Response) -> bool:
    """Whether the audit log has to know of a request that was answered like this."""
    bare = path.partition("?")[0]
    if not answer.is_success or "idempotency-replayed" in answer.headers or bare in ASKING:
        return False
    return method != "GET" or any(each.fullmatch(bare) for each in _sensitive(app))


def assert_recorded(
    app: Any, owner: psycopg.Connection, method: str, path: str, answer: httpx.Response
) -> None:
    """No command and no look at sensitive data happened behind the audit log's back."""
    if must_be_recorded(app, method, path, answer):
        known = owner.execute(KNOWS, [answer.headers["x-request-id"]]).fetchone()
        assert known == (True,), f"{method} {path} is in no audit log"
