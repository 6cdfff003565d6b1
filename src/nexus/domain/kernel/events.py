"""
What happened, in the past tense.

An event is a frozen attrs class of ids, numbers, texts and instants; it is
stored in the transaction that made it true and handled at least once afterwards.
"""

from datetime import datetime

from attrs import frozen

from nexus.domain.kernel.ids import EventId


@frozen(kw_only=True)
class Event:
    """Something that happened, and when; handlers recognise a repetition by its id."""

    id: EventId
    at: datetime
