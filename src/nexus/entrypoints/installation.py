"""
The other composition root: the machine that the product runs on.

Given servers or bundled ones, their migrations, what can be found out about
them, and files that come from outside. What the product does over them is
`nexus.entrypoints.wiring`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from tempfile import NamedTemporaryFile

from attrs import evolve, field, frozen

from nexus.adapters.catalogue_files.profiles import Profile, available_profiles, load_profile
from nexus.adapters.catalogue_files.reading import CatalogueFile
from nexus.adapters.catalogue_files.report_file import report_file
from nexus.adapters.embedded import (
    AlreadyRunning,
    CannotStart,
    EmbeddedServers,
    ServerDied,
    holds_data,
    running_servers,
    secret_key,
)
from nexus.adapters.embedded.folder import home_for
from nexus.adapters.embedded.process import Account, free_port, is_free, start, stop, tie_to_parent
from nexus.adapters.mail.folder import KeptMail
from nexus.adapters.mail.folder import kept_mails as mails_in
from nexus.adapters.outgoing import NoAnswer, OutgoingClient
from nexus.adapters.postgres.invariants import Finding, verify
from nexus.adapters.postgres.migrate import Migration, MigrationChanged, migrate, missing
from nexus.adapters.postgres.pool import UNAVAILABLE
from nexus.adapters.postgres.shared_clock import SharedClock
from nexus.adapters.vault.keyring import fresh_key
from nexus.application.catalogue.import_report import ImportReport, RowReport
from nexus.domain.kernel.errors import Refusal
from nexus.entrypoints.settings import Environment, SettingError, Settings
from nexus.entrypoints.wiring import Nexus

__all__ = [
    "Account",
    "AlreadyRunning",
    "CannotStart",
    "EmbeddedServers",
    "Finding",
    "Migration",
    "ServerDied",
    "available_profiles",
    "free_port",
    "fresh_key",
    "is_free",
    "migrate",
    "missing",
    "start",
    "stop",
    "tie_to_parent",
]


def explain(error: Exception) -> str | None:
    """What to tell somebody at a terminal, if the error is one that can be expected."""
    if isinstance(error, UNAVAILABLE):
        reason = " ".join(str(error).split())
        return f"the database does not answer: {reason}"
    if isinstance(error, MigrationChanged):
        return f"migration {error} was edited after it had run here; write a new one instead"
    if isinstance(error, (SettingError, CannotStart, NoAnswer, ServerDied, Refusal)):
        return str(error)
    return None


@frozen
class Installed:
    """An installation to work on: its settings with the servers filled in, and whether they are bundled."""

    settings: Settings
    database_owner: str = field(repr=False)
    bundled: bool


@contextmanager
def installed(
    environment: Mapping[str, str], *, create: bool = False, say: Callable[[str], object] = str
) -> Iterator[Installed]:
    """
    The installation that a command is about.

    With NEXUS_DATABASE_URL it is that one. Without, and unless NEXUS_ENV says
    production, it is the one that `nexus up` made in NEXUS_DATA_DIR: as it
    runs, or, if it does not, started for as long as the block lasts.

    Parameters:
        create: Make one if there is none.

    Raises:
        SettingError: It is not said which one, or there is none.
        CannotStart: It cannot be started.
    """
    settings = Settings.of(environment)
    if settings.database_url or (settings.env is Environment.PRODUCTION and environment.get("NEXUS_ENV")):
        url = settings.need("database_url")
        yield Installed(settings, settings.migration_url or url, bundled=False)
        return
    if not create and not holds_data(settings.data_dir):
        raise SettingError(
            f"nothing is installed in {settings.data_dir}: start with `nexus up`, or set NEXUS_DATABASE_URL"
        )
    with _servers(settings.data_dir, say) as (database_url, redis_url):
        settings = development(settings, database_url, redis_url)
        yield Installed(settings, database_url, bundled=True)


@contextmanager
def _servers(data_dir: Path, say: Callable[[str], object]) -> Iterator[tuple[str, str]]:
    with ExitStack() as stack:
        try:
            servers = stack.enter_context(EmbeddedServers(data_dir, on_event=say))
        except AlreadyRunning as refused:
            found = running_servers(refused)
            yield found.database_url, found.redis_url
            return
        migrate(servers.database_url)
        yield servers.database_url, servers.redis_url


def development(settings: Settings, database_url: str, redis_url: str) -> Settings:
    """The settings of an installation on bundled servers."""
    key = settings.secret_key or Settings.of({"NEXUS_SECRET_KEY": secret_key(settings.data_dir)}).secret_key
    return evolve(
        settings,
        env=Environment.DEVELOPMENT,
        database_url=database_url,
        redis_url=redis_url,
        secret_key=key,
    )


def what_is_missing(nexus: Nexus) -> str | None:
    """Why the product cannot work right now; None when it can."""
    return nexus.judge(nexus.database(), None).missing


def has_account(nexus: Nexus, email: str) -> bool:
    """Whether somebody signs in with this address; for the demo world's accounts."""
    with nexus.read_as_platform() as work:
        return work.accounts.credentials(email) is not None


def findings(nexus: Nexus) -> Iterator[Finding]:
    """Each invariant of the data, with the rows that break it."""
    stated = {setting.key: setting.value for setting in nexus.read_settings()}
    last_offer = timedelta(minutes=int(stated["waitlist_last_offer_minutes"]))
    with nexus.pool.connection() as connection:
        yield from verify(connection, at=nexus.now(), last_offer=last_offer)


def kept_mails(settings: Settings) -> Sequence[KeptMail]:
    """The mails that a development installation would have sent, the newest first."""
    stand_in = home_for(settings.data_dir) / settings.mail_dir.name
    return mails_in(stand_in) or mails_in(settings.mail_dir)


class NoTimeMachine(SettingError):
    """The clock can be moved in a development installation only."""

    def __init__(self) -> None:
        super().__init__("the clock can be moved where NEXUS_ENV=development only")


@frozen
class TimeMachine:
    """The clock of a development installation, to be moved ahead."""

    clock: SharedClock

    @classmethod
    def of(cls, nexus: Nexus) -> "TimeMachine":
        """
        The time machine of an installation.

        Raises:
            NoTimeMachine: It is not a development installation.
        """
        if not isinstance(nexus.now, SharedClock):
            raise NoTimeMachine
        return cls(nexus.now)

    def show(self) -> tuple[datetime, timedelta]:
        """The installation's time, and how far that is ahead."""
        return self.clock(), self.clock.ahead

    def advance(self, by: timedelta) -> None:
        self.clock.advance(by)

    def reset(self) -> None:
        self.clock.reset()


def profile_named(name: str) -> Profile:
    """An import profile by its name, or by the path of its file."""
    return load_profile(name)


def outgoing(settings: Settings, *, within: timedelta, most_bytes: int) -> OutgoingClient:
    """The client for whatever the product asks of the outside."""
    return OutgoingClient(origins=settings.outgoing, answer_within=within, most_bytes=most_bytes)


@contextmanager
def local_copy(source: Path | str, client: OutgoingClient) -> Iterator[Path]:
    """
    The file, or for as long as the block lasts a copy of what a URL gives.

    Raises:
        Invalid: The URL cannot be asked.
        NoAnswer: It does not give the file.
    """
    if isinstance(source, Path):
        yield source
        return
    with NamedTemporaryFile(prefix="nexus-import-") as copy:
        with client.ask("GET", source) as answer:
            if answer.status != HTTPStatus.OK:
                raise NoAnswer(f"the server answers {answer.status}")
            copy.writelines(answer.chunks)
        copy.flush()
        yield Path(copy.name)


def import_catalogue(
    nexus: Nexus,
    file: Path,
    profile: Profile,
    *,
    shift_dates: bool,
    dry_run: bool,
    report: Path | None,
    progress: Callable[[int, int], None],
) -> ImportReport:
    """Import a publisher's file, and plan the sessions of its weekly schedules at once."""
    rows: AbstractContextManager[Callable[[RowReport], None]]
    rows = report_file(report) if report else nullcontext(lambda _row: None)
    with rows as on_row:
        done = nexus.import_catalogue(
            CatalogueFile(file, profile),
            profile.rules,
            shift_dates=shift_dates,
            dry_run=dry_run,
            on_row=on_row,
            progress=progress,
        )
    if not dry_run:
        nexus.generate_sessions()
    return done
