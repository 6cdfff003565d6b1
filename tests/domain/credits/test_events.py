"""Events of credits and consent survive the outbox."""

import json
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from nexus.application.kernel.event_codec import decode, encode
from nexus.domain.compliance.events import ConsentChanged
from nexus.domain.credits.events import (
    CreditsAdjusted,
    CreditsAllocated,
    CreditsExpired,
    CreditsExpireSoon,
    Remainder,
)

NOW = datetime(2026, 4, 1, 4, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)
LEFT = (Remainder(user=ONE, credits=3, closes_at=NOW), Remainder(user=TWO, credits=1, closes_at=NOW))


@pytest.mark.parametrize(
    "event",
    [
        CreditsAllocated(
            id=ONE,
            at=NOW,
            company=ONE,
            subscription=TWO,
            period_start=date(2026, 4, 1),
            closes_at=NOW,
            users=(ONE, TWO),
        ),
        CreditsExpireSoon(id=ONE, at=NOW, remainders=LEFT),
        CreditsExpired(id=ONE, at=NOW, remainders=LEFT),
        CreditsAdjusted(id=ONE, at=NOW, user=TWO, amount=-3, reason="goodwill"),
        ConsentChanged(id=ONE, at=NOW, child=ONE, parent=TWO, given=("data_collection",), withdrawn=()),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_reads_back_as_it_was_written(event):
    stored = json.loads(json.dumps(encode(event)))
    assert decode(type(event).__name__, stored) == event
