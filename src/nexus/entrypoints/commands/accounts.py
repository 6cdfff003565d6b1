"""``nexus create-admin`` and ``nexus accounts``."""

import sys

import click

from nexus.entrypoints.commands.terminal import Taught, answer, as_json, opened


@click.command(
    "create-admin",
    cls=Taught,
    examples=[
        "nexus create-admin ada@example.com",
        "pass show nexus | nexus create-admin ada@example.com --password-stdin",
    ],
)
@click.argument("email")
@click.option("--first-name", default="Platform", show_default=True)
@click.option("--last-name", default="Administrator", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
def create_admin(email: str, first_name: str, last_name: str, password_stdin: bool, as_json: bool) -> None:
    """
    Open a platform administrator's account.

    The first one of an installation is made here; others by it, over the API.
    The password (8 to 128 characters) is asked for, or read from standard input.
    """
    from nexus.application.identity.create_user import NewUser
    from nexus.domain.identity.people import Role

    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    with opened(create=True) as (nexus, _):
        me = nexus.create_user(
            NewUser(
                email=email,
                role=Role.PLATFORM_ADMIN,
                first_name=first_name,
                last_name=last_name,
                time_zone="UTC",
                password=password,
            )
        )
    if as_json:
        answer({"id": me.id, "email": me.email, "role": me.role})
    else:
        click.echo(f"{me.email} is a platform administrator now.")


@click.group()
def accounts() -> None:
    """Help people who cannot get into their account."""


@accounts.command(
    "reset-factor",
    cls=Taught,
    examples=["nexus accounts reset-factor ada@example.com"],
)
@click.argument("email")
@as_json
def reset_factor(email: str, as_json: bool) -> None:
    """
    Take a lost second factor off an account.

    Make sure that it is really its owner who asks. Every sign-in of the account
    ends; the password stays. Whoever must have a factor sets up a new one at the
    next sign-in.
    """
    with opened() as (nexus, _):
        user = nexus.reset_second_factor(email)
    if as_json:
        answer({"id": user})
    else:
        click.echo(f"{email} has no second factor any more, and is signed out everywhere.")
