"""Rows about people and credits."""

from datetime import date, datetime

from attrs import frozen

from nexus.application.credits.views import BalanceView, LineView
from nexus.application.identity.factor_ports import Challenge, StoredFactor
from nexus.domain.billing.subscriptions import Subscription
from nexus.domain.identity.people import Person
from nexus.domain.identity.sessions import SignedIn
from nexus.domain.kernel.ids import BalanceId, BookingId, CompanyId, LineId, SubscriptionId, UserId


@frozen
class UserRow:
    """A row of ``users``."""

    person: Person
    password_hash: str | None
    department: str | None
    phone: str | None


@frozen
class SignInRow:
    """A row of ``user_sessions``."""

    signed_in: SignedIn
    last_seen_at: datetime
    revoked_at: datetime | None = None

    def is_live(self, at: datetime) -> bool:
        ends_at = min(self.signed_in.expires_at, self.last_seen_at + self.signed_in.idle_limit)
        return self.revoked_at is None and at < ends_at


@frozen
class FactorRow:
    """A row of ``second_factors``."""

    factor: StoredFactor
    attempts: int = 0
    attempts_since: datetime | None = None


@frozen
class ChallengeRow:
    """A row of ``sign_in_challenges``."""

    challenge: Challenge
    tries: int = 0
    closed_at: datetime | None = None


@frozen
class SubscriptionRow:
    """A row of ``corporate_subscriptions``."""

    subscription: Subscription
    allocated_period: date | None = None


@frozen(kw_only=True)
class BalanceRow:
    """A row of ``user_credit_balances``."""

    id: BalanceId
    user: UserId
    company: CompanyId
    subscription: SubscriptionId
    period_start: date
    period_end: date
    opens_at: datetime
    closes_at: datetime
    allocated: int
    available: int
    used: int = 0
    refunded: int = 0
    forfeited: int = 0
    adjusted: int = 0
    expired: int = 0
    last_sequence: int = 1
    warned_at: datetime | None = None
    closed_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        return self.closed_at is None and self.opens_at <= at < self.closes_at

    @property
    def view(self) -> BalanceView:
        return BalanceView(
            id=self.id,
            period_start=self.period_start,
            period_end=self.period_end,
            opens_at=self.opens_at,
            closes_at=self.closes_at,
            allocated=self.allocated,
            available=self.available,
            used=self.used,
            refunded=self.refunded,
            forfeited=self.forfeited,
            adjusted=self.adjusted,
            expired=self.expired,
        )


@frozen(kw_only=True)
class LineRow:
    """A row of ``credit_ledger``."""

    user: UserId
    view: LineView
    reverses: LineId | None = None
    adjusted_by: UserId | None = None

    @property
    def booking(self) -> BookingId | None:
        return self.view.booking
