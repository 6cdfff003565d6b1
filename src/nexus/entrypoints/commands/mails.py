"""``nexus mail``."""

import click

from nexus.entrypoints.commands.terminal import Fault, Taught, answer, as_json, settings


@click.command(
    "mail",
    short_help="Show mails of a development installation.",
    cls=Taught,
    examples=["nexus mail", "nexus mail 1"],
)
@click.argument("number", type=click.IntRange(min=1), required=False)
@as_json
def mail(number: int | None, as_json: bool) -> None:
    """
    Show the mails that a development installation would have sent.

    Without NEXUS_SMTP_URL they go into the folder `mail` of NEXUS_DATA_DIR.
    Lists them, the newest as number 1; with a NUMBER, shows that one.
    """
    from nexus.entrypoints.installation import kept_mails

    found = kept_mails(settings())
    if number is not None and number > len(found):
        raise Fault(f"there is no mail {number}; there are {len(found)}")
    if as_json:
        chosen = found if number is None else found[number - 1 : number]
        answer([{"date": one.date, "to": one.to, "subject": one.subject, "text": one.text} for one in chosen])
    elif number is not None:
        one = found[number - 1]
        click.echo(f"Date: {one.date}\nTo: {one.to}\nSubject: {one.subject}\n\n{one.text}", nl=False)
    elif not found:
        click.echo("No mail yet.")
    else:
        for place, one in enumerate(found, start=1):
            click.echo(f"{place:>3}  {one.date}  {one.to}  {one.subject}")
