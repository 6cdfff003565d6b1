"""
What happened, in the past tense.

An event is a frozen attrs class of ids, numbers and instants; it is stored in
the transaction that made it true and handled at least once afterwards.
"""

from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class Event:
    """Something that happened, and when."""

    at: datetime
