"""Consent: an append-only history per child and purpose, and what stands of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import field, frozen

from nexus.domain.kernel.ids import ChildId, UserId
from nexus.domain.kernel.texts import short_text


class Purpose(StrEnum):
    """What a parent can consent to, one by one."""

    DATA_COLLECTION = "data_collection"
    DATA_PROCESSING = "data_processing"
    ACTIVITY_BOOKING = "activity_booking"
    PHOTO_SHARING = "photo_sharing"
    MEDICAL_SHARING = "medical_sharing"
    COWORKER_MATCHING = "coworker_matching"
    AI_PERSONALISATION = "ai_personalisation"


class ConsentMethod(StrEnum):
    """How consent was expressed."""

    CHECKBOX = "checkbox"
    SIGNATURE = "signature"
    EMAIL_VERIFICATION = "email_verification"


def _version(text: str) -> str:
    return short_text("text_version", text, at_most=20)


@frozen(kw_only=True)
class ConsentRecord:
    """One decision of a parent; it is never changed, a later one takes its place."""

    id: UUID
    child: ChildId
    parent: UserId
    purpose: Purpose
    given: bool
    text_version: str = field(converter=_version)
    method: ConsentMethod
    evidence: Mapping[str, str] = field(factory=dict)
    recorded_at: datetime


def standing(history: Iterable[ConsentRecord]) -> frozenset[Purpose]:
    """
    The purposes that may be acted on after a history, oldest record first.

    Nothing stands without ``data_collection``. Withdrawing it ends every other
    consent as well: giving it again later does not revive them, each must be
    given anew.
    """
    given: set[Purpose] = set()
    for record in history:
        if record.given:
            given.add(record.purpose)
        elif record.purpose is Purpose.DATA_COLLECTION:
            given.clear()
        else:
            given.discard(record.purpose)
    return frozenset(given) if Purpose.DATA_COLLECTION in given else frozenset()
