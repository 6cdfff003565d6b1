"""The first page: what runs here, and where to go on."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

import nexus as package
from nexus.entrypoints.demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from nexus.entrypoints.http.middleware import PAGE_CSP
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.installation import has_account, what_is_missing
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import Nexus

ASSETS: Final = {"nexus.css": "text/css", "favicon.svg": "image/svg+xml"}

_templates: Final = Environment(
    loader=PackageLoader("nexus.entrypoints.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def first_page(nexus: Nexus, settings: Settings) -> Router:
    """``/``, its files, and the tutorial as text."""

    @get(
        "/",
        media_type="text/html",
        sync_to_thread=True,
        include_in_schema=False,
        opt=allow(Policy.PUBLIC, uncounted=True),
    )
    def home() -> Response[str]:
        missing = what_is_missing(nexus)
        shows_demo = settings.is_development and missing is None
        return rendered(
            "home.html",
            version=package.__version__,
            environment=str(settings.env),
            missing=missing,
            accounts=DEMO_ACCOUNTS if shows_demo and has_account(nexus, DEMO_ACCOUNTS[0].email) else (),
            password=DEMO_PASSWORD,
            has_tutorial=tutorial() is not None,
        )

    @get(
        "/static/{name:str}",
        sync_to_thread=False,
        include_in_schema=False,
        opt=allow(Policy.PUBLIC, uncounted=True),
    )
    def asset(name: FromPath[str]) -> Response[bytes]:
        if name not in ASSETS:
            raise NotFoundException
        headers = {"cache-control": "public, max-age=3600"}
        return Response(_asset(name), media_type=ASSETS[name], headers=headers)

    @get("/tutorial", sync_to_thread=False, include_in_schema=False, opt=allow(Policy.PUBLIC, uncounted=True))
    def show_tutorial() -> Response[str]:
        text = tutorial()
        if text is None:
            raise NotFoundException
        return Response(text, media_type="text/plain")

    return Router("/", route_handlers=[home, asset, show_tutorial])


@cache
def tutorial() -> str | None:
    """The tutorial's text: from the package, or beside a source tree."""
    for place in (files("nexus.entrypoints.web").joinpath("tutorial.md"), _source_tree() / "tutorial.md"):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    return None


def _source_tree() -> Path:
    return Path(str(package.__file__)).parents[2] / "docs"


@cache
def _asset(name: str) -> bytes:
    return files("nexus.entrypoints.web").joinpath("static", name).read_bytes()


def rendered(template: str, *, csp: str = PAGE_CSP, status: int = 200, **facts: Any) -> Response[str]:
    """A page of ours, kept by nobody."""
    return Response(
        _templates.get_template(template).render(**facts),
        media_type="text/html",
        status_code=status,
        headers={"content-security-policy": csp, "cache-control": "no-store"},
    )
