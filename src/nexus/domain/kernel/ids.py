"""Ids are UUIDs that are told apart by type; the application makes them, never the domain."""

from typing import NewType
from uuid import UUID

ActivityId = NewType("ActivityId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
BalanceId = NewType("BalanceId", UUID)
BookingId = NewType("BookingId", UUID)
ChildId = NewType("ChildId", UUID)
CompanyId = NewType("CompanyId", UUID)
EntryId = NewType("EntryId", UUID)
EventId = NewType("EventId", UUID)
GroupId = NewType("GroupId", UUID)
LineId = NewType("LineId", UUID)
NotificationId = NewType("NotificationId", UUID)
ScheduleId = NewType("ScheduleId", UUID)
SessionId = NewType("SessionId", UUID)
SubscriptionId = NewType("SubscriptionId", UUID)
UserId = NewType("UserId", UUID)
VenueId = NewType("VenueId", UUID)
