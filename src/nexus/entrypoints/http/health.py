"""Whether this process lives, and whether it can work."""

from litestar import Response, Router, get

from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.installation import what_is_missing
from nexus.entrypoints.wiring import Nexus


def health_routes(nexus: Nexus) -> Router:
    """``/healthz`` for who restarts processes, ``/readyz`` for who sends them requests."""

    @get("/healthz", sync_to_thread=False, include_in_schema=False, opt=allow(Policy.PUBLIC, uncounted=True))
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @get("/readyz", sync_to_thread=True, include_in_schema=False, opt=allow(Policy.PUBLIC, uncounted=True))
    def readyz() -> Response[dict[str, str]]:
        missing = what_is_missing(nexus)
        if missing is None:
            return Response({"status": "ready"})
        return Response({"status": "not ready", "reason": missing}, status_code=503)

    return Router("/", route_handlers=[healthz, readyz])
