"""A family's places in queues: join, read, answer an offer, leave."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from attrs import field, frozen, validators
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.booking.look_up import ListEntries, ShowEntry
from nexus.application.booking.views import EntryView
from nexus.application.booking.wait import AcceptOffer, DeclineOffer, JoinWaitlist, LeaveWaitlist
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.booking.waitlist import (
    AlreadyWaiting,
    EntryEnded,
    GroupTooLarge,
    NoOffer,
    OfferExpired,
    SeatsAvailable,
)
from nexus.domain.credits.ledger import InsufficientCredits
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import ChildId, EntryId, SessionId
from nexus.entrypoints.http.calls import LIGHT, BoundedCalls
from nexus.entrypoints.http.controllers.bookings import PRECONDITIONS, Booked
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.tenants import company_of

_BY_JOINING: Final = Keyset("waitlist", datetime, UUID)


@frozen(kw_only=True)
class Waiting:
    """Who waits; siblings wait together for a seat each."""

    child_ids: list[ChildId] = field(
        validator=[validators.min_len(1), validators.max_len(10)],
        metadata={"description": "The family's own children, each named once."},
    )


class QueueController(Controller):
    """The queue of a session."""

    path = "/api/v1/sessions/{session_id:uuid}/waitlist"
    opt = allow(Policy.FAMILY) | LIGHT
    tags = ("Waitlist",)

    @post(
        "/",
        responses=problem_responses(*PRECONDITIONS, SeatsAvailable, AlreadyWaiting, GroupTooLarge),
    )
    async def join(
        self,
        *,
        session_id: FromPath[SessionId],
        data: JSONBody[Waiting],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        join_waitlist: NamedDependency[SkipValidation[JoinWaitlist]],
        calls: NamedDependency[SkipValidation[BoundedCalls]],
    ) -> Response[EntryView]:
        """
        Wait for places in a full session.

        The line is first come, first served. Credits are only needed when an offer
        is accepted; what else a booking asks must hold already.
        """

        def answer() -> Response[EntryView]:
            return Once(begin, actor.user)(
                attempt.key,
                attempt.fingerprint,
                201,
                lambda: join_waitlist(session_id, tuple(data.child_ids), parent=actor.user),
            )

        return await calls.about(session_id, answer)


class WaitlistController(Controller):
    """A family's own entries in queues."""

    path = "/api/v1/waitlist"
    opt = allow(Policy.FAMILY) | LIGHT
    tags = ("Waitlist",)

    @get("/", sync_to_thread=True)
    def browse(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        list_entries: NamedDependency[SkipValidation[ListEntries]],
        active: Annotated[
            bool | None,
            QueryParameter(description="true: entries still in line; false: those that have left it."),
        ] = None,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[EntryView]:
        """List the family's entries in queues, latest first."""
        rows = list_entries(
            parent=actor.user,
            active=active,
            after=_BY_JOINING.after(cursor),
            limit=limit + 1,
        )
        return _BY_JOINING.page(rows, limit, lambda row: (row.joined_at, row.id), lambda row: row)

    @get("/{entry_id:uuid}", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def show(
        self,
        *,
        entry_id: FromPath[EntryId],
        actor: NamedDependency[SkipValidation[Actor]],
        show_entry: NamedDependency[SkipValidation[ShowEntry]],
    ) -> EntryView:
        """Show an entry: its position in line, or the offer and until when it stands."""
        return show_entry(entry_id, parent=actor.user)

    @post(
        "/{entry_id:uuid}/accept",
        sync_to_thread=True,
        responses=problem_responses(*PRECONDITIONS, InsufficientCredits, NoOffer, OfferExpired, EntryEnded),
    )
    def accept(
        self,
        *,
        entry_id: FromPath[EntryId],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        accept_offer: NamedDependency[SkipValidation[AcceptOffer]],
    ) -> Response[Booked]:
        """
        Take the offered seats: a booking, with all that one asks.

        When something is missing (credits, say), nothing changes and the offer
        stands until it expires.
        """
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            201,
            lambda: Booked.of(accept_offer(entry_id, parent=actor.user, company=company_of(actor))),
        )

    @post(
        "/{entry_id:uuid}/decline",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, NoOffer, OfferExpired, EntryEnded),
    )
    def decline(
        self,
        *,
        entry_id: FromPath[EntryId],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        decline_offer: NamedDependency[SkipValidation[DeclineOffer]],
    ) -> Response[EntryView]:
        """Let an offer go to the next family; the entry ends."""
        return Once(begin, actor.user)(
            attempt.key, attempt.fingerprint, 200, lambda: decline_offer(entry_id, parent=actor.user)
        )

    @post(
        "/{entry_id:uuid}/leave",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, EntryEnded),
    )
    def leave(
        self,
        *,
        entry_id: FromPath[EntryId],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        leave_waitlist: NamedDependency[SkipValidation[LeaveWaitlist]],
    ) -> Response[EntryView]:
        """Stop waiting, whether or not there is an offer."""
        return Once(begin, actor.user)(
            attempt.key, attempt.fingerprint, 200, lambda: leave_waitlist(entry_id, parent=actor.user)
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [QueueController, WaitlistController]
