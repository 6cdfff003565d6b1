"""The command ``nexus``."""

import logging
from typing import Final

import click

from nexus import __version__
from nexus.entrypoints.commands.accounts import accounts, create_admin
from nexus.entrypoints.commands.catalogue import import_files
from nexus.entrypoints.commands.clock import clock
from nexus.entrypoints.commands.database import demo, migrate
from nexus.entrypoints.commands.events import events
from nexus.entrypoints.commands.invariants import verify
from nexus.entrypoints.commands.keys import keys
from nexus.entrypoints.commands.mails import mail
from nexus.entrypoints.commands.processes import scheduler, serve, worker
from nexus.entrypoints.commands.reference import audit_reference, cli_reference
from nexus.entrypoints.commands.settings import list_settings
from nexus.entrypoints.commands.terminal import Commands
from nexus.entrypoints.commands.up import up

_SILENCE: Final = logging.NullHandler()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`nexus COMMAND --help` explains a command with an example.",
)
@click.version_option(__version__, prog_name="nexus")
def main() -> None:
    """
    Nexus Family Pass: a company's benefit that parents spend on activities for their children.

    Settings are environment variables that start with NEXUS_; `nexus settings`
    lists them. Where NEXUS_DATABASE_URL is not set, commands work on what
    `nexus up` made in the folder NEXUS_DATA_DIR (./var), running or not.
    """
    # What libraries log is for the processes that serve; a command says itself what went wrong.
    logging.getLogger().addHandler(_SILENCE)


for command in (
    up,
    serve,
    worker,
    scheduler,
    migrate,
    demo,
    import_files,
    verify,
    events,
    keys,
    clock,
    mail,
    create_admin,
    accounts,
    list_settings,
    cli_reference,
    audit_reference,
):
    main.add_command(command)
