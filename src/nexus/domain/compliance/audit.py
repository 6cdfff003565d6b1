"""
The audit log: what was done, to what, and what changed by it.

:class:`Action` is the list of everything that is recorded. Who did it, when, from where
and in which request is not said here: the store takes that from the caller and its own clock.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from attrs import asdict, field, frozen, has

from nexus.domain.kernel.ids import CompanyId, UserId, VenueId


class Category(StrEnum):
    """What an action is about; the first word of its name."""

    AUTH = "auth"
    SECURITY = "security"
    ACCOUNT = "account"
    COMPANY = "company"
    CHILD = "child"
    BOOKING = "booking"
    WAITLIST = "waitlist"
    VENUE = "venue"
    CATALOGUE = "catalogue"
    CREDITS = "credits"
    PLATFORM = "platform"
    AUDIT = "audit"
    SYSTEM = "system"


class Severity(StrEnum):
    """How much somebody who reads the log should care."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class EntityType(StrEnum):
    """What an action is done to."""

    ACCOUNT = "account"
    ACTIVITY = "activity"
    API_KEY = "api_key"
    AUDIT_LOG = "audit_log"
    BOOKING = "booking"
    CATALOGUE = "catalogue"
    CHILD = "child"
    COMPANY = "company"
    CREDITS = "credits"
    EVENT = "event"
    NOTIFICATION = "notification"
    ROUTE = "route"
    SCHEDULE = "schedule"
    SESSION = "session"
    SETTINGS = "settings"
    SIGN_IN = "sign_in"
    SUBSCRIPTION = "subscription"
    VENUE = "venue"
    WAITLIST_ENTRY = "waitlist_entry"


class Action(Enum):
    """
    Everything that is recorded: its name, what it is done to, and how much it matters.

    Named in the past tense, ``category.what_happened``. Names are stored, so they stay.
    """

    SIGNED_IN = "auth.signed_in", EntityType.ACCOUNT
    SIGN_IN_FAILED = "auth.sign_in_failed", EntityType.ACCOUNT, Severity.WARNING
    RESET_ASKED = "auth.reset_asked", EntityType.ACCOUNT
    SIGNED_OUT = "auth.signed_out", EntityType.SIGN_IN
    SIGN_IN_ENDED = "auth.sign_in_ended", EntityType.SIGN_IN
    OTHER_SIGN_INS_ENDED = "auth.other_sign_ins_ended", EntityType.ACCOUNT
    SECOND_FACTOR_ASKED = "auth.second_factor_asked", EntityType.ACCOUNT
    SECOND_FACTOR_BEGUN = "auth.second_factor_begun", EntityType.ACCOUNT
    SECOND_FACTOR_SET_UP = "auth.second_factor_set_up", EntityType.ACCOUNT, Severity.WARNING
    SECOND_FACTOR_REMOVED = "auth.second_factor_removed", EntityType.ACCOUNT, Severity.WARNING
    SECOND_FACTOR_RESET = "auth.second_factor_reset", EntityType.ACCOUNT, Severity.CRITICAL
    SECOND_FACTOR_FAILED = "auth.second_factor_failed", EntityType.ACCOUNT, Severity.WARNING
    RECOVERY_CODE_USED = "auth.recovery_code_used", EntityType.ACCOUNT, Severity.WARNING
    RECOVERY_CODES_RENEWED = "auth.recovery_codes_renewed", EntityType.ACCOUNT
    ACCESS_REFUSED = "security.access_refused", EntityType.ROUTE, Severity.WARNING
    API_KEY_MADE = "security.api_key_made", EntityType.API_KEY
    API_KEY_ROTATED = "security.api_key_rotated", EntityType.API_KEY
    API_KEY_REVOKED = "security.api_key_revoked", EntityType.API_KEY, Severity.WARNING

    ACCOUNT_OPENED = "account.opened", EntityType.ACCOUNT
    ACCOUNT_DISABLED = "account.disabled", EntityType.ACCOUNT, Severity.WARNING
    ACCOUNT_ENABLED = "account.enabled", EntityType.ACCOUNT, Severity.WARNING
    PASSWORD_CHANGED = "account.password_changed", EntityType.ACCOUNT, Severity.WARNING
    PASSWORD_CHOSEN = "account.password_chosen", EntityType.ACCOUNT, Severity.WARNING
    VERIFICATION_ASKED = "account.verification_asked", EntityType.ACCOUNT
    EMAIL_VERIFIED = "account.email_verified", EntityType.ACCOUNT
    EMPLOYEES_LISTED = "company.employees_listed", EntityType.COMPANY
    USE_OVERVIEWED = "company.use_overviewed", EntityType.COMPANY
    LEAVER_RECORDED = "company.leaver_recorded", EntityType.ACCOUNT
    COMPANY_CREATED = "company.created", EntityType.COMPANY
    SUBSCRIPTION_SOLD = "company.subscription_sold", EntityType.SUBSCRIPTION

    CHILD_ADDED = "child.added", EntityType.CHILD
    CHILD_CHANGED = "child.changed", EntityType.CHILD
    CONSENT_RECORDED = "child.consent_recorded", EntityType.CHILD

    BOOKED = "booking.made", EntityType.BOOKING
    BOOKING_CANCELLED = "booking.cancelled", EntityType.BOOKING
    BOOKING_CONFIRMED = "booking.confirmed", EntityType.BOOKING
    BOOKING_CANCELLED_BY_VENUE = "booking.cancelled_by_venue", EntityType.BOOKING
    ATTENDANCE_MARKED = "booking.attendance_marked", EntityType.BOOKING
    NOTIFICATION_READ = "account.notification_read", EntityType.NOTIFICATION

    WAITLIST_JOINED = "waitlist.joined", EntityType.WAITLIST_ENTRY
    OFFER_ACCEPTED = "waitlist.offer_accepted", EntityType.WAITLIST_ENTRY
    OFFER_DECLINED = "waitlist.offer_declined", EntityType.WAITLIST_ENTRY
    WAITLIST_LEFT = "waitlist.left", EntityType.WAITLIST_ENTRY

    ROSTER_READ = "venue.roster_read", EntityType.SESSION
    VENUE_CREATED = "venue.created", EntityType.VENUE
    VENUE_APPROVED = "venue.approved", EntityType.VENUE
    VENUE_REJECTED = "venue.rejected", EntityType.VENUE
    VENUE_SUSPENDED = "venue.suspended", EntityType.VENUE, Severity.WARNING
    ACTIVITY_CREATED = "catalogue.activity_created", EntityType.ACTIVITY
    ACTIVITY_CHANGED = "catalogue.activity_changed", EntityType.ACTIVITY
    SCHEDULE_CREATED = "catalogue.schedule_created", EntityType.SCHEDULE
    SCHEDULE_CHANGED = "catalogue.schedule_changed", EntityType.SCHEDULE
    SESSION_PLANNED = "catalogue.session_planned", EntityType.SESSION
    SESSION_CHANGED = "catalogue.session_changed", EntityType.SESSION
    SESSION_CANCELLED = "catalogue.session_cancelled", EntityType.SESSION
    CATALOGUE_IMPORTED = "catalogue.imported", EntityType.CATALOGUE

    CREDITS_ADJUSTED = "credits.adjusted", EntityType.ACCOUNT, Severity.WARNING
    SETTINGS_CHANGED = "platform.settings_changed", EntityType.SETTINGS, Severity.WARNING

    AUDIT_SEARCHED = "audit.searched", EntityType.AUDIT_LOG
    AUDIT_ENTRY_SHOWN = "audit.entry_shown", EntityType.AUDIT_LOG
    AUDIT_ENTRY_OPENED = "audit.entry_opened", EntityType.AUDIT_LOG, Severity.WARNING
    EVENT_RETRIED = "system.event_retried", EntityType.EVENT, Severity.WARNING
    CREDITS_ALLOCATED = "system.credits_allocated", EntityType.SUBSCRIPTION
    CREDITS_EXPIRED = "system.credits_expired", EntityType.CREDITS
    BOOKINGS_COMPLETED = "system.bookings_completed", EntityType.BOOKING
    SESSIONS_GENERATED = "system.sessions_generated", EntityType.SESSION
    SEALS_ROTATED = "system.seals_rotated", EntityType.SETTINGS, Severity.WARNING
    AUDIT_MONTHS_KEPT = "system.audit_months_kept", EntityType.AUDIT_LOG

    def __init__(self, label: str, entity: EntityType, severity: Severity = Severity.INFO) -> None:
        self.label = label
        self.entity = entity
        self.severity = severity

    @property
    def category(self) -> Category:
        return Category(self.label.partition(".")[0])

    @classmethod
    def labelled(cls, label: str) -> "Action":
        """
        Raises:
            KeyError: No action has that name.
        """
        return _BY_LABEL[label]


_BY_LABEL: Final[Mapping[str, Action]] = {action.label: action for action in Action}

NEVER: Final = ("password", "token", "secret", "seed", "hash", "recovery", "fingerprint", "evidence")
"""Parts of names whose values are in no log, not even sealed."""
_NEVER: Final = re.compile("|".join(NEVER))

PERSONAL: Final = frozenset(
    {
        "email",
        "first_name",
        "last_name",
        "phone",
        "contact_name",
        "contact_email",
        "contact_phone",
        "date_of_birth",
        "medical_notes",
        "accessibility_needs",
        "interests",
        "activities_to_avoid",
        "energy_level",
        "social_preference",
        "full_description",
        "instructor",
        "instructor_name",
        "notes",
        "session_notes",
        "reason_text",
        "status_reason",
    }
)
"""Names whose values tell of a person, or are written freely and may: sealed or left out, never in clear."""


class Unrecordable(ValueError):
    """A value that no log may hold was about to be recorded; a mistake of ours, not of a user's."""


def must_be_recordable(values: Mapping[str, Any]) -> None:
    """
    Raises:
        Unrecordable: A name promises a password, a token or the like.
    """
    _names_must_be_recordable(tuple(values))


@lru_cache(maxsize=1024)
def _names_must_be_recordable(names: tuple[str, ...]) -> None:
    """The same names come again and again; what was refused is not remembered, and refused again."""
    for name in names:
        if _NEVER.search(name):
            raise Unrecordable(name)


def plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The values as JSON has them: ids, instants and amounts become texts and numbers."""
    return None if values is None else {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            said: Any = value
        case str() | UUID():
            said = str(value)
        case datetime() | date() | time():
            said = value.isoformat()
        case timedelta():
            said = value.total_seconds()
        case Mapping():
            said = {str(name): _plain(each) for name, each in value.items()}
        case set() | frozenset():
            said = sorted(map(_plain, value))
        case Iterable():
            said = [_plain(each) for each in value]
        case _ if has(type(value)):
            said = {name: _plain(each) for name, each in asdict(value, recurse=False).items()}
        case _:
            raise Unrecordable(type(value).__name__)
    return said


def _in_clear(_deed: "Deed", _field: Any, values: Mapping[str, Any] | None) -> None:
    if values is None:
        return
    must_be_recordable(values)
    if not PERSONAL.isdisjoint(values):
        raise Unrecordable(min(PERSONAL.intersection(values)))


@frozen(kw_only=True)
class Sealed:
    """Values that were encrypted for one entry, whose id was made first."""

    entry: UUID
    old: bytes | None = field(default=None, repr=False)
    new: bytes | None = field(default=None, repr=False)


@frozen
class Deed:
    """
    Something that was done, for the log.

    ``old`` and ``new`` hold what changed and nothing else, in clear: nothing about a
    child, and nothing that tells of any person. Whatever does is in ``sealed``.
    ``company`` and ``venue`` are by default those of whoever did it.
    """

    action: Action
    entity: UUID | None = None
    old: dict[str, Any] | None = field(default=None, kw_only=True, converter=plain, validator=_in_clear)
    new: dict[str, Any] | None = field(default=None, kw_only=True, converter=plain, validator=_in_clear)
    sealed: Sealed | None = field(default=None, kw_only=True)
    company: CompanyId | None = field(default=None, kw_only=True)
    venue: VenueId | None = field(default=None, kw_only=True)
    by: UserId | None = field(default=None, kw_only=True)
    """Whoever proves by this deed who they are: until then the caller is nobody."""


def changes(before: object, after: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields in which two attrs objects of one class differ, as they were and as they are."""
    was, is_now = asdict(before, recurse=False), asdict(after, recurse=False)  # type: ignore[arg-type]
    names = [name for name in was if was[name] != is_now[name] and name != "version"]
    return {name: was[name] for name in names}, {name: is_now[name] for name in names}


def differences(before: object, after: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    What changed, as far as it may be told in clear.

    Of personal fields only the names are told, under ``also_changed``.
    """
    old, new = changes(before, after)
    if untold := PERSONAL.intersection(new):
        new = {name: value for name, value in new.items() if name not in untold}
        new["also_changed"] = sorted(untold)
    return {name: value for name, value in old.items() if name not in untold}, new
