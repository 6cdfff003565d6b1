"""The whole HTTP application over an installation."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from litestar import Litestar
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from nexus import __version__
from nexus.application.kernel.limits import Limit
from nexus.entrypoints.http import controllers
from nexus.entrypoints.http.app import EdgeSettings, edge
from nexus.entrypoints.http.cors import Cors
from nexus.entrypoints.http.health import health_routes
from nexus.entrypoints.http.owners import require_owners
from nexus.entrypoints.http.policies import Keys
from nexus.entrypoints.http.proxies import Proxies
from nexus.entrypoints.http.rates import MINUTE, Rates
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.web.account import account_pages
from nexus.entrypoints.web.pages import first_page
from nexus.entrypoints.wiring import AWAY, Nexus, begin_light

if TYPE_CHECKING:
    from nexus.entrypoints.tracing.spans import Traces

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def build(
    nexus: Nexus, settings: Settings, *, lifespan: Sequence[Lifespan] = (), traces: "Traces | None" = None
) -> Litestar:
    """
    The application that serves *nexus*; a handler asks for a use case by its name in snake case.

    Requests and use cases are told to *traces*, where there are any.
    """
    use_cases = nexus.use_cases()
    if traces is not None:
        use_cases = {name: traces.use_case(use_case) for name, use_case in use_cases.items()}
    dependencies = {**use_cases, "begin": nexus.begin}
    proxies = Proxies(settings.trusted_proxies, settings.proxy_headers)
    app = edge(
        [*_resources(), health_routes(nexus), first_page(nexus, settings), account_pages(nexus)],
        authenticate=nexus.authenticate,
        keys=Keys(nexus.recognise_key, nexus.admit_key),
        unavailable=AWAY,
        note_refusal=nexus.record_refusal,
        scrape=nexus.scrape_soon,
        light=begin_light,
        dependencies={name: _provided(value) for name, value in dependencies.items()},
        lifespan=lifespan,
        rates=Rates(
            nexus.tally,
            per_address=_a_minute(settings.rate_limit_per_address),
            per_account=_a_minute(settings.rate_limit_per_account),
        ),
        settings=EdgeSettings(
            version=__version__,
            calls=settings.pool_size,
            metrics=settings.metrics,
            https=settings.https,
            proxies=proxies,
            cors=Cors(settings.cors_origins),
            body_within=settings.body_seconds,
            answer_within=settings.answer_seconds,
            fingerprint_keys=nexus.fingerprint_keys,
        ),
    )
    require_owners(app)
    if traces is not None:
        app.asgi_handler = traces.around(app.asgi_handler, trusts=proxies.trusts)
    return app


def _a_minute(amount: int) -> Limit | None:
    return Limit(amount, MINUTE) if amount else None


def _resources() -> list[ControllerRouterHandler]:
    """The handlers of every module in the folder of controllers."""
    return [
        handler
        for module in iter_modules(controllers.__path__, f"{controllers.__name__}.")
        for handler in getattr(import_module(module.name), "HANDLERS", ())
    ]


def _provided(value: Any) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)
