"""One's own credits."""

from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import field, frozen
from litestar import get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.credits.show import ShowCredits
from nexus.application.credits.views import BalanceView, LineView
from nexus.application.kernel.actor import Actor
from nexus.domain.credits.ledger import Movement
from nexus.domain.kernel.ids import BalanceId, BookingId, LineId
from nexus.entrypoints.http.calls import LIGHT
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow

_BY_TIME: Final = Keyset("credit-lines", datetime, UUID)


@frozen(kw_only=True)
class CreditLine:
    """One movement of credits."""

    id: LineId
    balance_id: BalanceId
    sequence: int = field(metadata={"description": "Counts the balance's movements from 1."})
    movement: Movement
    amount: int = field(metadata={"description": "Below zero: taken. A forfeit is 0: the debit stays."})
    balance_after: int
    booking_id: BookingId | None
    reason: str | None
    occurred_at: datetime

    @classmethod
    def of(cls, line: LineView) -> "CreditLine":
        return cls(
            id=line.id,
            balance_id=line.balance,
            sequence=line.sequence,
            movement=line.movement,
            amount=line.amount,
            balance_after=line.balance_after,
            booking_id=line.booking,
            reason=line.reason,
            occurred_at=line.occurred_at,
        )


@frozen(kw_only=True)
class MyCredits:
    """What can be spent now, what was given for each period, and how it moved."""

    available: int = field(metadata={"description": "What can be spent now."})
    current: BalanceView | None = field(metadata={"description": "The balance open now, if one is."})
    balances: list[BalanceView] = field(metadata={"description": "Of the last two years, latest first."})
    lines: Page[CreditLine] = field(metadata={"description": "The movements, latest first."})


@get("/api/v1/me/credits", sync_to_thread=True, opt=allow(Policy.FAMILY) | LIGHT, tags=("Credits",))
def show_own_credits(
    actor: NamedDependency[SkipValidation[Actor]],
    show_credits: NamedDependency[SkipValidation[ShowCredits]],
    limit: Limit = 20,
    cursor: CursorText = None,
) -> MyCredits:
    """
    Show one's own credits: what is available, the balances, and the movements page by page.

    *limit* and *cursor* are about the movements.
    """
    found = show_credits(actor=actor, after=_BY_TIME.after(cursor), limit=limit + 1)
    return MyCredits(
        available=found.available,
        current=found.current,
        balances=list(found.balances),
        lines=_BY_TIME.page(found.lines, limit, lambda line: (line.occurred_at, line.id), CreditLine.of),
    )


HANDLERS: Final[list[ControllerRouterHandler]] = [show_own_credits]
