"""The API's documentation: its OpenAPI document, pages to browse it, and what each problem means."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

from litestar import Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from prometheus_client import CollectorRegistry, generate_latest

from nexus.entrypoints.http.context import here
from nexus.entrypoints.http.middleware import PAGE_CSP, Figures
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.problems import ProblemType, catalogue

ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
}

Scrape = Callable[[CollectorRegistry], Awaitable[bytes]]
"""The text of a scrape, with what is in a registry."""

PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nexus Family Pass API</title>
<link rel="stylesheet" href="/docs/static/swagger-ui.css">
</head>
<body>
<div id="docs" data-document="/schema/openapi.json"></div>
<script src="/docs/static/swagger-ui-bundle.js"></script>
<script src="/docs/static/start.js"></script>
</body>
</html>
"""


@get(
    "/docs",
    media_type="text/html",
    include_in_schema=False,
    sync_to_thread=False,
    opt=allow(Policy.PUBLIC, uncounted=True),
)
def docs_page() -> Response[str]:
    """The browsable documentation."""
    return Response(PAGE, media_type="text/html", headers={"content-security-policy": PAGE_CSP})


@get(
    "/docs/static/{name:str}",
    include_in_schema=False,
    sync_to_thread=True,
    opt=allow(Policy.PUBLIC, uncounted=True),
)
def docs_asset(name: FromPath[str]) -> Response[bytes]:
    """One of the few files that the page needs."""
    if name not in ASSETS:
        raise NotFoundException
    content = files("nexus.entrypoints.http").joinpath("static", "swagger", name).read_bytes()
    return Response(content, media_type=ASSETS[name], headers={"cache-control": "public, max-age=3600"})


@get("/problems", sync_to_thread=False, opt=allow(Policy.PUBLIC), tags=["Problems"])
def list_problems() -> list[ProblemType]:
    """Every type of problem that the API answers with."""
    return catalogue()


@get("/problems/{slug:str}", sync_to_thread=False, opt=allow(Policy.PUBLIC), tags=["Problems"])
def describe_problem(slug: FromPath[str]) -> ProblemType:
    """What a problem's ``type`` means; this is the address that it names."""
    for problem in catalogue():
        if problem.slug == slug:
            return problem
    raise NotFoundException


def metrics_route(figures: Figures, scrape: Scrape | None) -> Router:
    """
    ``/metrics`` for Prometheus; to be reachable from inside only. *scrape* adds what is not of HTTP.

    Under this very address: elsewhere an added slash changes nothing, but here a proxy's
    rule that names the address would not see the others.
    """

    @get("/metrics", include_in_schema=False, opt=allow(Policy.PUBLIC, uncounted=True))
    async def metrics() -> Response[bytes]:
        now = here.get()
        if now is None or now.path != "/metrics":
            raise NotFoundException
        text = generate_latest(figures.registry) if scrape is None else await scrape(figures.registry)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return Router("/", route_handlers=[metrics])
