"""Whether this process lives, and whether it can work."""

import asyncio
from typing import Any

from litestar import Response, Router, get

from nexus.application.platform.condition import Condition, Part, Status
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.wiring import Nexus


def health_routes(nexus: Nexus) -> Router:
    """
    ``/healthz`` for who restarts processes, ``/readyz`` for who sends them requests.

    Neither needs one of the threads that requests are worked on in: both answer while
    all of those wait for a database that hangs.
    """

    @get("/healthz", sync_to_thread=False, include_in_schema=False, opt=allow(Policy.PUBLIC, uncounted=True))
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @get("/readyz", include_in_schema=False, opt=allow(Policy.PUBLIC, uncounted=True))
    async def readyz() -> Response[dict[str, Any]]:
        database, queue = await asyncio.gather(nexus.database.soon(), nexus.queue.soon())
        condition = nexus.judge(database, queue)
        code = 503 if condition.status is Status.NOT_READY else 200
        return Response(described(condition), status_code=code)

    return Router("/", route_handlers=[healthz, readyz])


def described(condition: Condition) -> dict[str, Any]:
    """A condition for programs to read."""
    described: dict[str, Any] = {"status": condition.status}
    if condition.missing is not None:
        described["reason"] = condition.missing
    described["parts"] = {name: _part(part) for name, part in condition.parts.items()}
    return described


def _part(part: Part) -> dict[str, Any]:
    reason = {} if part.reason is None else {"reason": part.reason}
    return {"status": part.status, **reason, **part.figures}
