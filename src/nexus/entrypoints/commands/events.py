"""``nexus events``: what the background could not do."""

from uuid import UUID

import click

from nexus.entrypoints.commands.terminal import Commands, Taught, answer, as_json, opened


@click.group(cls=Commands, short_help="Look after events that could not be handled.")
def events() -> None:
    """
    Events that the background could not handle.

    An event that fails is tried again by itself, each time after twice as long. After
    twelve times (some 23 hours) it is parked and waits for people.
    """


@events.command("list", cls=Taught, examples=["nexus events list", "nexus events list --json"])
@as_json
def list_events(as_json: bool) -> None:
    """Show events that failed and are not handled yet: parked ones first, with the last error."""
    with opened() as (nexus, _):
        found = nexus.list_troubled_events()
    if as_json:
        answer([
            {
                "id": event.id,
                "type": event.type,
                "occurred_at": event.occurred_at.isoformat(),
                "attempts": event.attempts,
                "parked_at": event.parked_at and event.parked_at.isoformat(),
                "last_error": event.last_error,
            }
            for event in found
        ])  # fmt: skip
        return
    for event in found:
        state = "parked" if event.parked_at else f"tried {event.attempts} times"
        click.echo(f"{event.id}  {event.occurred_at:%Y-%m-%d %H:%M} UTC  {event.type}, {state}")
        click.echo(f"    {event.last_error or 'never reached a handler'}")
    parked = sum(event.parked_at is not None for event in found)
    click.echo(
        f"{parked or 'none'} parked, {len(found) - parked or 'none'} failing and tried again by itself."
    )


@events.command(cls=Taught, examples=["nexus events retry --all", "nexus events retry EVENT"])
@click.argument("event", type=click.UUID, required=False)
@click.option("--all", "all_parked", is_flag=True, help="Every parked event.")
def retry(event: UUID | None, all_parked: bool) -> None:
    """Have a parked event handled after all, or every one, once the cause is mended."""
    from nexus.domain.kernel.ids import EventId

    if (event is None) is not all_parked:
        raise click.UsageError("name an event, or say --all")
    with opened() as (nexus, _):
        released = nexus.retry_parked_events(None if event is None else EventId(event))
    click.echo(f"{len(released) or 'none'} will be tried again.")
