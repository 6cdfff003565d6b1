"""
The composition root: every use case, made once, over the adapters of an installation.

This is the table of contents of what the product does, and the only module that
knows both use cases and adapters.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any, Final

from prometheus_client import CollectorRegistry

from nexus.adapters.mail.folder import FolderMailer
from nexus.adapters.mail.nowhere import Nowhere
from nexus.adapters.mail.smtp import SmtpMailer
from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.adapters.memory.mailbox import MemoryMailer
from nexus.adapters.memory.tally import Tally
from nexus.adapters.passwords.api_keys import HmacDigests, new_key_text
from nexus.adapters.passwords.argon2 import Argon2Passwords
from nexus.adapters.passwords.factors import new_recovery_code, new_seed
from nexus.adapters.passwords.once import HashedOnce
from nexus.adapters.passwords.tokens import new_token
from nexus.adapters.postgres import health
from nexus.adapters.postgres.backlog import backlog
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.pool import UNAVAILABLE, Pool, open_pool
from nexus.adapters.postgres.shared_clock import SharedClock
from nexus.adapters.postgres.verifications import check_all
from nexus.adapters.redis.limiter import RedisLimiter
from nexus.adapters.redis.queue import RedisQueue
from nexus.adapters.system.chance import new_code, new_id
from nexus.adapters.system.clock import now as system_clock
from nexus.adapters.system.key_uses import CountedUses
from nexus.adapters.system.lately import Lately
from nexus.adapters.system.seeded import SeededChance
from nexus.adapters.vault.aesgcm import AesGcmVault
from nexus.adapters.vault.keyring import KeyRing, Use
from nexus.application.booking.book import Book, TakePlaces
from nexus.application.booking.cancel import CancelBooking, QuoteCancellation
from nexus.application.booking.look_up import ListBookings, ListEntries, ShowBooking, ShowEntry
from nexus.application.booking.ports import NewCode
from nexus.application.booking.quote import QuoteBooking
from nexus.application.booking.stand_down import StandDown
from nexus.application.booking.sweep import CompleteBookings, SweepSessions
from nexus.application.booking.venue_bookings import (
    CancelBookingByVenue,
    ConfirmBooking,
    MarkAttendance,
    RejectBooking,
)
from nexus.application.booking.venue_sessions import CancelSession, ChangeSession, ShowRoster
from nexus.application.booking.wait import AcceptOffer, DeclineOffer, JoinWaitlist, LeaveWaitlist
from nexus.application.catalogue.approve_venue import ApproveVenue
from nexus.application.catalogue.browse_activities import BrowseActivities
from nexus.application.catalogue.change_activity import ChangeActivity
from nexus.application.catalogue.change_schedule import ChangeSchedule
from nexus.application.catalogue.create_activity import CreateActivity
from nexus.application.catalogue.create_schedule import CreateSchedule
from nexus.application.catalogue.create_session import CreateSession
from nexus.application.catalogue.create_venue import CreateVenue
from nexus.application.catalogue.generate_sessions import GenerateSessions
from nexus.application.catalogue.import_catalogue import ImportCatalogue
from nexus.application.catalogue.list_activities import ListActivities
from nexus.application.catalogue.list_schedules import ListSchedules
from nexus.application.catalogue.list_sessions import ListVenueSessions
from nexus.application.catalogue.list_venues import ListVenues
from nexus.application.catalogue.reject_venue import RejectVenue
from nexus.application.catalogue.show import ListSessionsOfActivity, ShowActivity, ShowSession
from nexus.application.catalogue.suspend_venue import SuspendVenue
from nexus.application.compliance.keep_audit import KeepAudit
from nexus.application.compliance.read_audit import OpenAuditEntry, SearchAudit, ShowAuditEntry
from nexus.application.compliance.record_refusal import RecordRefusal
from nexus.application.credits.adjust import AdjustCredits
from nexus.application.credits.allocate import AllocateCredits
from nexus.application.credits.expire import ExpireCredits, WarnOfExpiry
from nexus.application.credits.show import ShowCredits
from nexus.application.identity.account_mail import AskForReset, AskForVerification, SendAccountMail
from nexus.application.identity.attempts import Attempts
from nexus.application.identity.change_password import ChangePassword, ChoosePassword, VerifyEmail
from nexus.application.identity.children import AddChild, ChangeChild, ListChildren, ShowChild
from nexus.application.identity.companies import (
    CreateCompany,
    CreateSubscription,
    ListCompanies,
    ListSubscriptions,
)
from nexus.application.identity.complete_sign_in import CompleteSignIn
from nexus.application.identity.consents import ListConsents, RecordConsent
from nexus.application.identity.create_user import CreateUser
from nexus.application.identity.disable_user import DisableUser, EnableUser
from nexus.application.identity.hr import ListEmployees, OverviewHr
from nexus.application.identity.leave import RecordLeaver
from nexus.application.identity.letters import Letters
from nexus.application.identity.links import OpenLink
from nexus.application.identity.ports import Passwords
from nexus.application.identity.second_factor import (
    BeginSecondFactor,
    CheckCode,
    ConfirmSecondFactor,
    RemoveSecondFactor,
    RenewRecoveryCodes,
    ResetSecondFactor,
    ShowSecondFactor,
)
from nexus.application.identity.sessions import (
    EndOtherSignIns,
    EndSignIn,
    ListSignIns,
    OpenSignIn,
    RenewSignIn,
)
from nexus.application.identity.sign_in import Authenticate, ShowMe, SignIn, SignOut
from nexus.application.kernel.inbox import HandleEvent
from nexus.application.kernel.jobs import CallDueJobs, Job
from nexus.application.kernel.limits import Limiter
from nexus.application.kernel.mail import Mailer
from nexus.application.kernel.ports import Clock, NewId
from nexus.application.notifications.announce import Announce
from nexus.application.notifications.read import ListNotifications, ReadNotification
from nexus.application.platform.all_api_keys import RevokeAnyApiKey, SearchApiKeys
from nexus.application.platform.backlog import Backlog
from nexus.application.platform.condition import Broker, Condition, Database, Queue, judge
from nexus.application.platform.own_api_keys import (
    ListApiKeys,
    MakeApiKey,
    RevokeApiKey,
    RotateApiKey,
    ShowApiKey,
)
from nexus.application.platform.parked import ListTroubledEvents, RetryParkedEvents
from nexus.application.platform.presented_api_key import AdmitKey, RecogniseKey, WriteKeyUses
from nexus.application.platform.rotate_keys import RotateKeys
from nexus.application.platform.settings import ChangeSettings, ReadSettings
from nexus.application.platform.show_keys import ShowKeys
from nexus.application.platform.tidy_up import TidyUp
from nexus.application.platform.verify_data import ListVerifications, VerifyData
from nexus.domain.catalogue.activities import Category
from nexus.domain.identity.mail import AccountMail, AccountMailAsked
from nexus.entrypoints.monitoring import Flows, Seen, exposition
from nexus.entrypoints.settings import Settings

AWAY: Final[Mapping[type[Exception], Callable[[Exception], int]]] = {
    kind: lambda _: 1 for kind in UNAVAILABLE
}
"""Errors that mean the database cannot serve for the moment, and after how many seconds to ask again."""


SCRAPE_FRESH_FOR: Final = 5.0
"""Seconds for which what was read of the database is told again, however many ask."""


class Nexus:
    """Every use case over one database, made when it is first asked for."""

    def __init__(
        self,
        pool: Pool,
        *,
        now: Clock,
        secret_key: bytes,
        former_keys: Sequence[bytes] = (),
        new_id: NewId = new_id,
        new_code: NewCode = new_code,
        passwords: Passwords | None = None,
        limiter: Limiter | None = None,
        mailer: Mailer | None = None,
        broker: Broker | None = None,
        public_url: str = "http://127.0.0.1:8000",
    ) -> None:
        self.pool = pool
        self.begin = PostgresBegin(pool)
        self.read = self.begin.reading
        self.begin_as_platform = self.begin.as_platform
        self.read_as_platform = self.begin.reading_as_platform
        self.now = now
        self.new_id = new_id
        self.new_code = new_code
        self._secret_key, self._former_keys = secret_key, former_keys
        self._keyring = KeyRing(secret_key, former_keys)
        self._passwords = passwords or Argon2Passwords()
        self.limiter = limiter or MemoryLimiter()
        self.tally = Tally(self.limiter)
        self._mailer = mailer or MemoryMailer()
        self._public_url = public_url
        self._broker = broker
        self.database = Lately(lambda: health.look(pool, at=now()))
        self.queue = Lately(self._look_at_broker)
        self.backlog = Lately(lambda: backlog(pool, at=now()), fresh_for=SCRAPE_FRESH_FOR)
        self.flows = Flows()

    def _look_at_broker(self) -> Queue | None:
        return None if self._broker is None else self._broker.look()

    def scrape(self) -> bytes:
        """What Prometheus is told by this process; answers also when nothing else does."""
        return self._exposition(self.backlog(), self.queue())

    async def scrape_soon(self, *registries: CollectorRegistry) -> bytes:
        """The same for an event loop, with what is in further registries."""
        seen, queue = await asyncio.gather(self.backlog.soon(), self.queue.soon())
        return self._exposition(seen, queue, *registries)

    def _exposition(self, seen: Backlog | None, queue: Queue | None, *registries: CollectorRegistry) -> bytes:
        look = Seen(
            backlog=seen,
            queue=queue,
            has_broker=self._broker is not None,
            pool=self.pool.get_stats(),
            fallbacks=self.limiter.fallbacks if isinstance(self.limiter, RedisLimiter) else None,
        )
        return exposition(look, self.flows.registry, *registries)

    def judge(self, database: Database | None, queue: Queue | None) -> Condition:
        """Whether this process can serve when that is what it sees."""
        return judge(database, queue, has_broker=self._broker is not None)

    @property
    def fingerprint_keys(self) -> tuple[bytes, ...]:
        """What keys the fingerprints of named commands: the key of now first, then those of before."""
        return self._keyring.keys_for(Use.FINGERPRINTS)

    @property
    def key_names(self) -> Sequence[str]:
        """What the keys are called under which things are sealed."""
        return tuple(self._keyring.names.values())

    def replaying(self, now: Clock, *, seed: int) -> "Nexus":
        """
        The same product over the same database, for telling a past.

        Its time is *now*'s, and its ids and codes follow from *seed* and that time. A
        password that many people share is hashed once.
        """
        chance = SeededChance(seed, now)
        return Nexus(
            self.pool,
            now=now,
            secret_key=self._secret_key,
            former_keys=self._former_keys,
            new_id=chance.new_id,
            new_code=chance.new_code,
            passwords=HashedOnce(self._passwords),
            limiter=self.limiter,
        )

    def use_cases(self) -> dict[str, Any]:
        """Every use case by its name in snake case."""
        return {
            name: getattr(self, name)
            for name, value in vars(type(self)).items()
            if isinstance(value, cached_property) and not name.startswith("_")
        }

    @cached_property
    def _vault(self) -> AesGcmVault:
        return self._keyring.vault

    @cached_property
    def _attempts(self) -> Attempts:
        return Attempts(self.limiter)

    @cached_property
    def _open_sign_in(self) -> OpenSignIn:
        return OpenSignIn(self.new_id, new_token)

    @cached_property
    def _renew_sign_in(self) -> RenewSignIn:
        return RenewSignIn(self._open_sign_in)

    @cached_property
    def _check_code(self) -> CheckCode:
        return CheckCode(self.begin, self._vault)

    @cached_property
    def _take_places(self) -> TakePlaces:
        return TakePlaces(self.new_id, self.new_code)

    @cached_property
    def _stand_down(self) -> StandDown:
        return StandDown(self.new_id)

    # --- sign-in

    @cached_property
    def authenticate(self) -> Authenticate:
        return Authenticate(self.read_as_platform, self.begin_as_platform, self.now)

    @cached_property
    def sign_in(self) -> SignIn:
        return SignIn(self.begin_as_platform, self.now, self._open_sign_in, self._passwords, self._attempts)

    @cached_property
    def complete_sign_in(self) -> CompleteSignIn:
        check = CheckCode(self.begin_as_platform, self._vault)
        return CompleteSignIn(self.begin_as_platform, self.now, self._open_sign_in, check)

    @cached_property
    def sign_out(self) -> SignOut:
        return SignOut(self.begin, self.now)

    @cached_property
    def show_me(self) -> ShowMe:
        return ShowMe(self.read)

    @cached_property
    def list_sign_ins(self) -> ListSignIns:
        return ListSignIns(self.read, self.now)

    @cached_property
    def end_one_of_my_sign_ins(self) -> EndSignIn:
        return EndSignIn(self.begin, self.now)

    @cached_property
    def end_other_sign_ins(self) -> EndOtherSignIns:
        return EndOtherSignIns(self.begin, self.now)

    @cached_property
    def show_second_factor(self) -> ShowSecondFactor:
        return ShowSecondFactor(self.read, self.now)

    @cached_property
    def begin_second_factor(self) -> BeginSecondFactor:
        return BeginSecondFactor(self.begin, self.now, new_seed, self._vault, self._check_code)

    @cached_property
    def confirm_second_factor(self) -> ConfirmSecondFactor:
        return ConfirmSecondFactor(
            self.now, new_recovery_code, self._vault, self._check_code, self._renew_sign_in
        )

    @cached_property
    def renew_recovery_codes(self) -> RenewRecoveryCodes:
        return RenewRecoveryCodes(self.now, new_recovery_code, self._check_code, self._renew_sign_in)

    @cached_property
    def remove_second_factor(self) -> RemoveSecondFactor:
        return RemoveSecondFactor(self.now, self._check_code, self._renew_sign_in)

    @cached_property
    def reset_second_factor(self) -> ResetSecondFactor:
        return ResetSecondFactor(self.begin, self.now)

    # --- passwords and mailed links

    @cached_property
    def open_link(self) -> OpenLink:
        return OpenLink(self.read_as_platform, self.now, self._attempts)

    @cached_property
    def ask_for_reset(self) -> AskForReset:
        return AskForReset(self.begin_as_platform, self.now, self.new_id, self._attempts)

    @cached_property
    def ask_for_verification(self) -> AskForVerification:
        return AskForVerification(self.begin_as_platform, self.now, self.new_id, self._attempts)

    @cached_property
    def send_account_mail(self) -> SendAccountMail:
        return SendAccountMail(
            self.begin_as_platform, self.now, new_token, self._mailer, Letters(self._public_url)
        )

    @cached_property
    def change_password(self) -> ChangePassword:
        return ChangePassword(
            self.begin_as_platform,
            self.now,
            self.new_id,
            self._passwords,
            self._attempts,
            self._renew_sign_in,
        )

    def _choose_password(self, purpose: AccountMail) -> ChoosePassword:
        return ChoosePassword(
            self.begin_as_platform,
            self.now,
            self.new_id,
            self._passwords,
            self._attempts,
            self.open_link,
            purpose,
        )

    @cached_property
    def reset_password(self) -> ChoosePassword:
        return self._choose_password(AccountMail.RESET_PASSWORD)

    @cached_property
    def accept_invitation(self) -> ChoosePassword:
        return self._choose_password(AccountMail.INVITATION)

    @cached_property
    def verify_email(self) -> VerifyEmail:
        return VerifyEmail(self.begin_as_platform, self.now, self.open_link)

    # --- API keys

    @cached_property
    def _key_digests(self) -> HmacDigests:
        return HmacDigests(self._keyring.keys_for(Use.API_KEYS))

    @cached_property
    def _key_uses(self) -> CountedUses:
        return CountedUses()

    @cached_property
    def recognise_key(self) -> RecogniseKey:
        return RecogniseKey(self.read_as_platform, self.begin_as_platform, self.now, self._key_digests)

    @cached_property
    def admit_key(self) -> AdmitKey:
        return AdmitKey(self.limiter, self._key_uses, self.now)

    @cached_property
    def write_key_uses(self) -> WriteKeyUses:
        return WriteKeyUses(self.begin_as_platform, self._key_uses)

    @cached_property
    def make_api_key(self) -> MakeApiKey:
        return MakeApiKey(self.begin, self.now, self.new_id, new_key_text, self._key_digests)

    @cached_property
    def rotate_api_key(self) -> RotateApiKey:
        return RotateApiKey(self.begin, self.now, self.new_id, new_key_text, self._key_digests)

    @cached_property
    def revoke_api_key(self) -> RevokeApiKey:
        return RevokeApiKey(self.begin, self.now)

    @cached_property
    def list_api_keys(self) -> ListApiKeys:
        return ListApiKeys(self.read, self.now)

    @cached_property
    def show_api_key(self) -> ShowApiKey:
        return ShowApiKey(self.read, self.now)

    @cached_property
    def search_api_keys(self) -> SearchApiKeys:
        return SearchApiKeys(self.read, self.now)

    @cached_property
    def revoke_any_api_key(self) -> RevokeAnyApiKey:
        return RevokeAnyApiKey(self.begin, self.now)

    # --- families

    @cached_property
    def add_child(self) -> AddChild:
        return AddChild(self.begin, self.now, self.new_id, self._vault)

    @cached_property
    def list_children(self) -> ListChildren:
        return ListChildren(self.read, self._vault)

    @cached_property
    def show_child(self) -> ShowChild:
        return ShowChild(self.read, self._vault)

    @cached_property
    def change_child(self) -> ChangeChild:
        return ChangeChild(self.begin, self.now, self.new_id, self._vault, self._stand_down)

    @cached_property
    def record_consent(self) -> RecordConsent:
        return RecordConsent(self.begin, self.now, self.new_id, self._vault, self._stand_down)

    @cached_property
    def list_consents(self) -> ListConsents:
        return ListConsents(self.read)

    @cached_property
    def show_credits(self) -> ShowCredits:
        return ShowCredits(self.read, self.now)

    # --- finding

    @cached_property
    def browse_activities(self) -> BrowseActivities:
        return BrowseActivities(self.read, self.now)

    @cached_property
    def show_activity(self) -> ShowActivity:
        return ShowActivity(self.read, self.now)

    @cached_property
    def list_sessions_of_activity(self) -> ListSessionsOfActivity:
        return ListSessionsOfActivity(self.read, self.now)

    @cached_property
    def show_session(self) -> ShowSession:
        return ShowSession(self.read, self.now)

    # --- booking

    @cached_property
    def quote_booking(self) -> QuoteBooking:
        return QuoteBooking(self.read, self.now)

    @cached_property
    def book(self) -> Book:
        return Book(self.begin, self.now, self._take_places)

    @cached_property
    def show_booking(self) -> ShowBooking:
        return ShowBooking(self.read)

    @cached_property
    def list_bookings(self) -> ListBookings:
        return ListBookings(self.read, self.now)

    @cached_property
    def quote_cancellation(self) -> QuoteCancellation:
        return QuoteCancellation(self.begin, self.now)

    @cached_property
    def cancel_booking(self) -> CancelBooking:
        return CancelBooking(self.begin, self.now, self.new_id)

    @cached_property
    def join_waitlist(self) -> JoinWaitlist:
        return JoinWaitlist(self.begin, self.now, self.new_id)

    @cached_property
    def accept_offer(self) -> AcceptOffer:
        return AcceptOffer(self.begin, self.now, self.new_id, self._take_places)

    @cached_property
    def decline_offer(self) -> DeclineOffer:
        return DeclineOffer(self.begin, self.now, self.new_id)

    @cached_property
    def leave_waitlist(self) -> LeaveWaitlist:
        return LeaveWaitlist(self.begin, self.now, self.new_id)

    @cached_property
    def show_entry(self) -> ShowEntry:
        return ShowEntry(self.read)

    @cached_property
    def list_entries(self) -> ListEntries:
        return ListEntries(self.read)

    # --- being told

    @cached_property
    def announce(self) -> Announce:
        return Announce(self.new_id)

    @cached_property
    def list_notifications(self) -> ListNotifications:
        return ListNotifications(self.read)

    @cached_property
    def read_notification(self) -> ReadNotification:
        return ReadNotification(self.begin, self.now)

    # --- venues

    @cached_property
    def create_activity(self) -> CreateActivity:
        return CreateActivity(self.begin, self.now, self.new_id)

    @cached_property
    def change_activity(self) -> ChangeActivity:
        return ChangeActivity(self.begin)

    @cached_property
    def list_activities(self) -> ListActivities:
        return ListActivities(self.read)

    @cached_property
    def create_session(self) -> CreateSession:
        return CreateSession(self.begin, self.now, self.new_id)

    @cached_property
    def list_venue_sessions(self) -> ListVenueSessions:
        return ListVenueSessions(self.read)

    @cached_property
    def change_session(self) -> ChangeSession:
        return ChangeSession(self.begin, self.now, self.new_id)

    @cached_property
    def cancel_session(self) -> CancelSession:
        return CancelSession(self.begin, self.now, self.new_id)

    @cached_property
    def create_schedule(self) -> CreateSchedule:
        return CreateSchedule(self.begin, self.now, self.new_id)

    @cached_property
    def change_schedule(self) -> ChangeSchedule:
        return ChangeSchedule(self.begin, self.now, self.new_id)

    @cached_property
    def list_schedules(self) -> ListSchedules:
        return ListSchedules(self.read)

    @cached_property
    def show_roster(self) -> ShowRoster:
        return ShowRoster(self.begin, self._vault)

    @cached_property
    def confirm_booking(self) -> ConfirmBooking:
        return ConfirmBooking(self.begin, self.now, self.new_id)

    @cached_property
    def reject_booking(self) -> RejectBooking:
        return RejectBooking(self.begin, self.now, self.new_id)

    @cached_property
    def mark_attendance(self) -> MarkAttendance:
        return MarkAttendance(self.begin, self.now, self.new_id)

    @cached_property
    def cancel_booking_by_venue(self) -> CancelBookingByVenue:
        return CancelBookingByVenue(self.begin, self.now, self.new_id)

    # --- companies

    @cached_property
    def overview_hr(self) -> OverviewHr:
        return OverviewHr(self.begin, self.now, tuple(Category))

    @cached_property
    def list_employees(self) -> ListEmployees:
        return ListEmployees(self.begin, self.now)

    @cached_property
    def record_leaver(self) -> RecordLeaver:
        return RecordLeaver(self.begin, self.now)

    # --- the platform

    @cached_property
    def create_company(self) -> CreateCompany:
        return CreateCompany(self.begin, self.now, self.new_id)

    @cached_property
    def list_companies(self) -> ListCompanies:
        return ListCompanies(self.read)

    @cached_property
    def create_subscription(self) -> CreateSubscription:
        return CreateSubscription(self.begin, self.now, self.new_id)

    @cached_property
    def list_subscriptions(self) -> ListSubscriptions:
        return ListSubscriptions(self.read)

    @cached_property
    def create_user(self) -> CreateUser:
        return CreateUser(self.begin, self.now, self.new_id, self._passwords)

    @cached_property
    def disable_user(self) -> DisableUser:
        return DisableUser(self.begin, self.now)

    @cached_property
    def enable_user(self) -> EnableUser:
        return EnableUser(self.begin, self.now)

    @cached_property
    def create_venue(self) -> CreateVenue:
        return CreateVenue(self.begin, self.now, self.new_id)

    @cached_property
    def list_venues(self) -> ListVenues:
        return ListVenues(self.read)

    @cached_property
    def approve_venue(self) -> ApproveVenue:
        return ApproveVenue(self.begin, self.now)

    @cached_property
    def reject_venue(self) -> RejectVenue:
        return RejectVenue(self.begin)

    @cached_property
    def suspend_venue(self) -> SuspendVenue:
        return SuspendVenue(self.begin)

    @cached_property
    def import_catalogue(self) -> ImportCatalogue:
        return ImportCatalogue(self.begin, self.now, self.new_id)

    @cached_property
    def adjust_credits(self) -> AdjustCredits:
        return AdjustCredits(self.begin, self.now, self.new_id)

    @cached_property
    def read_settings(self) -> ReadSettings:
        return ReadSettings(self.read, self.now)

    @cached_property
    def search_audit(self) -> SearchAudit:
        return SearchAudit(self.begin)

    @cached_property
    def show_audit_entry(self) -> ShowAuditEntry:
        return ShowAuditEntry(self.begin)

    @cached_property
    def open_audit_entry(self) -> OpenAuditEntry:
        return OpenAuditEntry(self.begin, self.now, self._vault)

    @cached_property
    def record_refusal(self) -> RecordRefusal:
        return RecordRefusal(self.begin)

    @cached_property
    def keep_audit(self) -> KeepAudit:
        return KeepAudit(self.begin, self.now)

    @cached_property
    def change_settings(self) -> ChangeSettings:
        return ChangeSettings(self.begin, self.now)

    # --- the background

    @cached_property
    def call_due_jobs(self) -> CallDueJobs:
        return CallDueJobs(self.begin, self.now, self.new_id)

    @cached_property
    def sweep_sessions(self) -> SweepSessions:
        return SweepSessions(self.begin, self.now, self.new_id)

    @cached_property
    def complete_bookings(self) -> CompleteBookings:
        return CompleteBookings(self.begin, self.now)

    @cached_property
    def allocate_credits(self) -> AllocateCredits:
        return AllocateCredits(self.begin, self.now, self.new_id)

    @cached_property
    def expire_credits(self) -> ExpireCredits:
        return ExpireCredits(self.begin, self.now, self.new_id)

    @cached_property
    def warn_of_expiry(self) -> WarnOfExpiry:
        return WarnOfExpiry(self.begin, self.now, self.new_id)

    @cached_property
    def generate_sessions(self) -> GenerateSessions:
        return GenerateSessions(self.begin, self.now, self.new_id)

    @cached_property
    def rotate_keys(self) -> RotateKeys:
        return RotateKeys(self.begin, self.now, self._vault)

    @cached_property
    def show_keys(self) -> ShowKeys:
        return ShowKeys(self.read, self._vault, self._keyring.names)

    @cached_property
    def tidy_up(self) -> TidyUp:
        return TidyUp(self.begin, self.now)

    @cached_property
    def verify_data(self) -> VerifyData:
        return VerifyData(
            self.begin_as_platform,
            self.now,
            self.new_id,
            lambda at, last_offer: check_all(self.pool, at, last_offer),
        )

    @cached_property
    def list_verifications(self) -> ListVerifications:
        return ListVerifications(self.read)

    @cached_property
    def list_troubled_events(self) -> ListTroubledEvents:
        return ListTroubledEvents(self.read)

    @cached_property
    def retry_parked_events(self) -> RetryParkedEvents:
        return RetryParkedEvents(self.begin)

    @cached_property
    def handle_event(self) -> HandleEvent:
        return HandleEvent(
            self.begin,
            self.announce,
            {job: getattr(self, job.value) for job in Job},
            {AccountMailAsked: self.send_account_mail},
            self.flows.watching,
        )


def _public_url(settings: Settings) -> str:
    return settings.public_url or f"http://{settings.host}:{settings.port}"


def _mailer(settings: Settings) -> Mailer:
    """By SMTP where a server is set; else into a folder in development, and nowhere in production."""
    if settings.smtp_url:
        settings.need("public_url")
        return SmtpMailer.at(settings.smtp_url, origin=settings.origin)
    if settings.is_development:
        return FolderMailer(settings.mail_dir, settings.origin)
    return Nowhere("NEXUS_SMTP_URL is not set")


@contextmanager
def open_nexus(settings: Settings, *, database_url: str | None = None) -> Iterator[Nexus]:
    """
    The product over the database of these settings; connections close with it.

    In development the clock is the one that can be moved ahead; elsewhere it is the
    machine's and nothing else. Limits hold for all processes that share the Redis of
    these settings, and without one for this process.
    """
    with ExitStack() as stack:
        pool = stack.enter_context(
            open_pool(database_url or settings.need("database_url"), size=settings.pool_size)
        )
        clock: Clock = system_clock
        if settings.is_development:
            clock = stack.enter_context(SharedClock(pool))
        limiter: Limiter = MemoryLimiter()
        broker: RedisQueue | None = None
        if settings.redis_url:
            broker = RedisQueue.at(settings.redis_url)
            stack.callback(broker.close)
            limiter = RedisLimiter.at(settings.redis_url, fallback=limiter)
            stack.callback(limiter.close)
        yield Nexus(
            pool,
            now=clock,
            secret_key=settings.need("secret_key"),
            former_keys=settings.former_keys or (),
            limiter=limiter,
            mailer=_mailer(settings),
            broker=broker,
            public_url=_public_url(settings),
        )
