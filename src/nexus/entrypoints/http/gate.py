"""What every request passes between its route and its handler."""

from typing import Any

from attrs import define, field
from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, Receive, Scope, Send

from nexus.entrypoints.http.context import here
from nexus.entrypoints.http.parameters import Query
from nexus.entrypoints.http.policies import Enforce


@define(eq=False)
class Gate:
    """
    Enforces the route's policy, then looks at what the query says; only then is anything else read.

    Each handler of each route has one of its own. A middleware: for each guard Litestar
    would copy the handler.
    """

    app: ASGIApp
    enforce: Enforce
    _query: Query | None = field(default=None, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = ASGIConnection[Any, Any, Any, Any](scope, receive, send)
        handler = connection.route_handler
        await self.enforce(connection, handler)
        if scope["query_string"]:
            if self._query is None:
                self._query = Query.of(handler)
            self._query.check(connection.query_params)
        request = here.get()
        if request is not None:
            request.is_light = "light" in handler.opt
        await self.app(scope, receive, send)
