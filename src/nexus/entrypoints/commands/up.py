"""``nexus up``: the whole product on one machine, for development."""

import base64
import http.client
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nexus.entrypoints.commands.terminal import Fault, Taught, progress, say, settings
from nexus.entrypoints.settings import SettingError, Settings

if TYPE_CHECKING:
    from nexus.entrypoints.installation import AlreadyRunning, EmbeddedServers
    from nexus.entrypoints.supervisor import Supervisor

READY_WITHIN: Final = 60.0


class Stopped(BaseException):
    """Somebody asked us to end."""


@click.command(
    short_help="Run the whole product here, for development.",
    cls=Taught,
    examples=["nexus up", "nexus up --port 9000 --no-demo", "nexus up --reset"],
)
@click.option(
    "--reset", is_flag=True, help="Erase all data of the folder, and end. Refused while it is in use."
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The port; by default 8000, or the next free one."
)
@click.option(
    "--demo/--no-demo", default=True, show_default=True, help="Load the demo world into an empty database."
)
def up(reset: bool, port: int | None, demo: bool) -> None:
    """
    Run the whole product here, servers included, for development.

    PostgreSQL and Valkey come with the package; their data lives in
    NEXUS_DATA_DIR (./var), beside the secret key and the logs. Ctrl-C stops
    everything; a part that ends by itself is started again.
    """
    from nexus.entrypoints.installation import AlreadyRunning, EmbeddedServers

    if os.environ.get("NEXUS_ENV", "development") != "development":
        raise SettingError(
            "`nexus up` is for development; NEXUS_ENV says otherwise (see docs/howto/deploy.md)"
        )
    if os.environ.get("NEXUS_DATABASE_URL") or os.environ.get("NEXUS_REDIS_URL"):
        raise SettingError(
            "`nexus up` brings its own servers; unset NEXUS_DATABASE_URL and NEXUS_REDIS_URL, "
            "or run `nexus serve`, `nexus worker` and `nexus scheduler` on yours"
        )
    stated = settings()
    servers = EmbeddedServers(stated.data_dir, on_event=say)
    try:
        if reset:
            servers.erase()
            say(f"Nothing is left in {servers.data_dir}.")
            return
        _run(servers, stated, port, demo=demo)
    except AlreadyRunning as refused:
        raise Fault(_who_runs(refused)) from refused


def _who_runs(refused: "AlreadyRunning") -> str:
    facts = refused.facts
    where = facts.get("address", "not answering yet, or only lending its servers to a command")
    return f"already running on {refused.folder}: {where}, pid {facts.get('pid', 'unknown')}; Ctrl-C there stops it"


def _run(servers: "EmbeddedServers", stated: Settings, port: int | None, *, demo: bool) -> None:
    from nexus.entrypoints.installation import development, migrate
    from nexus.entrypoints.supervisor import Part, Supervisor

    _stop_on_signals()
    try:
        with servers:
            stated = development(stated, servers.database_url, servers.redis_url)
            migrate(servers.database_url, progress=lambda name: say(f"Migration {name}"))
            demo = _load_demo(stated) if demo else False
            port = _port(port, stated)
            supervisor = Supervisor(servers.data_dir, _environment(stated, servers.data_dir, port), say)
            try:
                supervisor.start([
                    Part("web", ("serve",)),
                    Part("scheduler", ("scheduler",)),
                    Part("worker", ("worker",)),
                ])  # fmt: skip
                address = f"http://{stated.host}:{port}"
                check = _checks(servers, supervisor)
                _await_answer(stated.host, port, check)
                servers.note(address=address)
                click.echo(greeting(address, servers.data_dir, demo=demo))
                while True:
                    check()
                    time.sleep(0.2)
            finally:
                say("Stopping ...")
                supervisor.stop()
    except Stopped:
        say("Stopped. Data stays for the next start.")


def _checks(servers: "EmbeddedServers", supervisor: "Supervisor") -> Callable[[], None]:
    def check() -> None:
        servers.check()
        supervisor.check()

    return check


def _stop_on_signals() -> None:
    """Make the first signal end us in order; later ones change nothing."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(*_: object) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    for number in signals:
        signal.signal(number, stop)


def _load_demo(stated: Settings) -> bool:
    """Load the demo world if nothing is there yet; whether it is there now."""
    from nexus.entrypoints.demo import DEMO_ACCOUNTS, NotEmpty, load_demo
    from nexus.entrypoints.installation import has_account
    from nexus.entrypoints.wiring import open_nexus

    # Closed before the children start: its threads must not be there when we fork.
    with open_nexus(stated) as nexus:
        with suppress(NotEmpty), progress("Loading the demo world") as bar:
            load_demo(nexus, progress=bar)
        return has_account(nexus, DEMO_ACCOUNTS[0].email)


def _port(wanted: int | None, stated: Settings) -> int:
    from nexus.entrypoints.installation import is_free

    chosen = wanted or (stated.port if os.environ.get("NEXUS_PORT") else None)
    if chosen is not None:
        if not is_free(chosen):
            raise Fault(f"port {chosen} is taken by somebody else")
        return chosen
    return next(port for port in range(stated.port, 65536) if is_free(port))


def _environment(stated: Settings, folder: Path, port: int) -> dict[str, str]:
    """What web, worker and scheduler are told."""
    inherited = {name: text for name, text in os.environ.items() if name.startswith("NEXUS_")}
    # Worker and scheduler cannot both have it.
    inherited.pop("NEXUS_METRICS_PORT", None)
    return inherited | {
        "NEXUS_ENV": "development",
        "NEXUS_DATABASE_URL": stated.need("database_url"),
        "NEXUS_REDIS_URL": stated.need("redis_url"),
        "NEXUS_SECRET_KEY": base64.b64encode(stated.need("secret_key")).decode(),
        "NEXUS_DATA_DIR": str(folder),
        "NEXUS_HOST": stated.host,
        "NEXUS_PORT": str(port),
        "NEXUS_PUBLIC_URL": stated.public_url or f"http://{stated.host}:{port}",
    }


def _await_answer(host: str, port: int, check: Callable[[], None]) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        check()
        connection = http.client.HTTPConnection(host, port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise Fault("the web process does not answer; its reason is in web.log")


def greeting(address: str, folder: Path, *, demo: bool) -> str:
    """What to tell somebody who has just started the product."""
    from nexus.entrypoints.demo import DEMO_ACCOUNTS, DEMO_PASSWORD

    lines = [
        "",
        f"Nexus Family Pass is running at {address}",
        "",
        f"  API       {address}/docs",
        f"  Data      {folder} (logs: web.log, worker.log, scheduler.log)",
        "  Mail      nexus mail",
        "  Stop      Ctrl-C",
        "",
    ]
    if demo:
        parent = DEMO_ACCOUNTS[0]
        lines += [
            f"Demo accounts, all with the password {DEMO_PASSWORD}",
            *(f"  {account.role:<15} {account.email:<22} {account.about}" for account in DEMO_ACCOUNTS),
            "",
            "Try",
            f"  curl -s -c /tmp/nexus.cookies {address}/api/v1/auth/sign-in -H 'content-type: application/json' \\",
            f'    -d \'{{"email": "{parent.email}", "password": "{DEMO_PASSWORD}"}}\'',
            f"  curl -s -b /tmp/nexus.cookies {address}/api/v1/me/credits",
            f"  curl -s -b /tmp/nexus.cookies '{address}/api/v1/activities?category=sports&available=true'",
        ]
    else:
        lines += ["Try", f"  curl -s {address}/readyz", f"  curl -s {address}/problems"]
    return "\n".join(lines)
