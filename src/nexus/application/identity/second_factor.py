"""Set up, renew and give up a second factor."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil

from attrs import field, frozen

from nexus.application.identity.factor_ports import FactorWork, NewRecoveryCode, NewSeed, StoredFactor
from nexus.application.identity.sessions import NewSignIn, RenewSignIn, require_recent
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock
from nexus.application.kernel.vault import Vault, place
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.credentials import TooManyAttempts
from nexus.domain.identity.second_factor import (
    CODES_EACH_HOUR,
    ENROLMENT_LASTS,
    RECOVERY_CODES,
    CodeRequired,
    NoSecondFactor,
    NothingToConfirm,
    SecondFactorStays,
    TypedCode,
    WrongCode,
    accepted_step,
    as_seed,
    as_text,
    enrolment_uri,
)
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import UserId


def _place(user: UserId) -> str:
    return place("second_factors", "seed", user)


def _pending_place(user: UserId) -> str:
    return place("second_factors", "pending_seed", user)


@frozen(kw_only=True)
class Enrolment:
    """A second factor about to be set up: what the app must be told, shown this once."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    expires_at: datetime


@frozen(kw_only=True)
class Enrolled:
    """A second factor that was set up: how to get in without it, and the sign-in's new token."""

    recovery_codes: tuple[str, ...] = field(repr=False)
    sign_in: NewSignIn


@frozen(kw_only=True)
class FactorView:
    """Whether somebody has a second factor, and must have one."""

    is_set_up: bool
    is_required: bool
    set_up_at: datetime | None
    recovery_codes_left: int


@frozen
class CheckCode:
    """
    Checks codes of an app and recovery codes, each good for one time.

    Of two with the same code at the same moment one is refused: what is used up is
    decided by the store in one statement.
    """

    begin: Begin[FactorWork]
    vault: Vault

    @contextmanager
    def counted(self, user: UserId, *, at: datetime) -> Iterator[FactorWork]:
        """
        A unit of work in which a code is tried: the attempt counts whatever comes of it.

        Raises:
            TooManyAttempts: Too many codes were tried for this account; nothing was looked at.
        """
        with self.begin() as work:
            self.count(work, user, at=at)
        try:
            with self.begin() as work:
                yield work
        except WrongCode:
            with self.begin() as work:
                work.audit.add(Deed(Action.SECOND_FACTOR_FAILED, user))
            raise

    def count(self, work: FactorWork, user: UserId, *, at: datetime) -> None:
        """
        Raises:
            TooManyAttempts: Too many codes were tried for this account.
        """
        hour = timedelta(hours=1)
        wait = work.second_factors.take_attempt(user, at=at, at_most=CODES_EACH_HOUR, within=hour)
        if wait is not None:
            raise TooManyAttempts(max(1, ceil(wait.total_seconds())))

    def use(self, work: FactorWork, user: UserId, code: str, *, at: datetime) -> None:
        """
        Use a code up.

        Raises:
            WrongCode: It is not right, not any more, or was used.
            NoSecondFactor: There is none to have a code.
        """
        factor = work.second_factors.get(user)
        if factor is None or factor.seed is None:
            raise NoSecondFactor
        typed = TypedCode.of(code)
        if typed.is_of_an_app:
            seed = as_seed(self.vault.open(factor.seed, context=_place(user)))
            step = accepted_step(seed, typed.text, at=at, last=factor.last_step)
            if step is None or not work.second_factors.accept(user, factor.seed, step=step):
                raise WrongCode
        else:
            if not work.second_factors.use_recovery_code(user, typed.recovery_hash(), at=at):
                raise WrongCode
            work.audit.add(Deed(Action.RECOVERY_CODE_USED, user, by=user))
        work.second_factors.forget_attempts(user)


@frozen
class ShowSecondFactor:
    """Whether one has a second factor."""

    begin: Begin[FactorWork]
    now: Clock

    def __call__(self, *, actor: Actor) -> FactorView:
        with self.begin() as work:
            factor = work.second_factors.get(actor.user)
            left = work.second_factors.recovery_codes_left(actor.user)
            required = work.settings.at(self.now()).second_factor_required_roles
        return FactorView(
            is_set_up=factor is not None and factor.seed is not None,
            is_required=actor.role.value in required,
            set_up_at=factor.confirmed_at if factor is not None else None,
            recovery_codes_left=left,
        )


@frozen
class BeginSecondFactor:
    """
    Begin to set up an authenticator app: nothing changes until a code of it is shown.

    It takes a fresh sign-in, so that an unlocked computer is not enough; replacing
    a factor takes one of its codes, too.
    """

    begin: Begin[FactorWork]
    now: Clock
    new_seed: NewSeed
    vault: Vault
    check: CheckCode

    def __call__(self, *, actor: Actor, code: str | None = None) -> Enrolment:
        """
        The secret, shown this once.

        Raises:
            SignInTooOld, SessionEnded: The sign-in is not fresh.
            CodeRequired: There is a factor, and no code of it was shown.
            WrongCode, TooManyAttempts: The code does not count.
        """
        at = self.now()
        with self.begin() as work:
            require_recent(work, actor, at=at)
            factor = work.second_factors.get(actor.user)
        if factor is None or factor.seed is None:
            with self.begin() as work:
                return self._begun(work, actor, at=at)
        if code is None:
            raise CodeRequired
        with self.check.counted(actor.user, at=at) as work:
            self.check.use(work, actor.user, code, at=at)
            return self._begun(work, actor, at=at)

    def _begun(self, work: FactorWork, actor: Actor, *, at: datetime) -> Enrolment:
        me = work.accounts.me(actor.user)
        if me is None:
            raise NoSuchThing("user")
        seed = self.new_seed()
        sealed = self.vault.seal(as_text(seed), context=_pending_place(actor.user))
        work.second_factors.begin(actor.user, sealed, at=at)
        work.audit.add(Deed(Action.SECOND_FACTOR_BEGUN, actor.user))
        return Enrolment(
            secret=as_text(seed), uri=enrolment_uri(seed, email=me.email), expires_at=at + ENROLMENT_LASTS
        )


@frozen
class ConfirmSecondFactor:
    """
    Set the factor up by showing a code of the app.

    From then on signing in takes it. Other sign-ins end; the present one goes on,
    unrestricted, under a new token.
    """

    now: Clock
    new_recovery_code: NewRecoveryCode
    vault: Vault
    check: CheckCode
    renew: RenewSignIn

    def __call__(self, code: str, *, actor: Actor) -> Enrolled:
        """
        Ten recovery codes, shown this once, and the sign-in's new token.

        Raises:
            NothingToConfirm: Nothing was begun, or too long ago.
            WrongCode, TooManyAttempts: The code does not count.
            SessionEnded: The sign-in ended meanwhile.
        """
        at = self.now()
        with self.check.counted(actor.user, at=at) as work:
            factor = work.second_factors.get(actor.user)
            pending = None if factor is None else _pending(factor, at=at)
            if pending is None:
                raise NothingToConfirm
            seed = self.vault.open(pending, context=_pending_place(actor.user))
            step = accepted_step(as_seed(seed), TypedCode.of(code).text, at=at, last=0)
            if step is None:
                raise WrongCode
            sealed = self.vault.seal(seed, context=_place(actor.user))
            if not work.second_factors.confirm(actor.user, pending, seed=sealed, step=step, at=at):
                raise NothingToConfirm
            work.second_factors.forget_attempts(actor.user)
            codes = new_recovery_codes(work, actor.user, self.new_recovery_code, at=at)
            work.audit.add(Deed(Action.SECOND_FACTOR_SET_UP, actor.user))
            return Enrolled(
                recovery_codes=codes, sign_in=self.renew(work, actor, at=at, has_second_factor=True)
            )


def _pending(factor: StoredFactor, *, at: datetime) -> bytes | None:
    if factor.pending_since is None or at >= factor.pending_since + ENROLMENT_LASTS:
        return None
    return factor.pending_seed


def new_recovery_codes(
    work: FactorWork, user: UserId, new_code: NewRecoveryCode, *, at: datetime
) -> tuple[str, ...]:
    """Fresh codes; those from before are worth nothing any more."""
    codes = tuple(new_code() for _ in range(RECOVERY_CODES))
    hashes = [TypedCode.of(code).recovery_hash() for code in codes]
    work.second_factors.replace_recovery_codes(user, hashes, at=at)
    return codes


@frozen
class RenewRecoveryCodes:
    """Get ten new recovery codes; those from before are worth nothing any more."""

    now: Clock
    new_recovery_code: NewRecoveryCode
    check: CheckCode
    renew: RenewSignIn

    def __call__(self, code: str, *, actor: Actor) -> Enrolled:
        """
        The codes, shown this once, and the sign-in's new token.

        Raises:
            NoSecondFactor: There is no factor that they could stand in for.
            WrongCode, TooManyAttempts: The code does not count.
            SessionEnded: The sign-in ended meanwhile.
        """
        at = self.now()
        with self.check.counted(actor.user, at=at) as work:
            self.check.use(work, actor.user, code, at=at)
            codes = new_recovery_codes(work, actor.user, self.new_recovery_code, at=at)
            work.audit.add(Deed(Action.RECOVERY_CODES_RENEWED, actor.user))
            return Enrolled(recovery_codes=codes, sign_in=self.renew(work, actor, at=at))


@frozen
class RemoveSecondFactor:
    """Give the factor up: from then on the password is enough again. Other sign-ins end."""

    now: Clock
    check: CheckCode
    renew: RenewSignIn

    def __call__(self, code: str, *, actor: Actor) -> NewSignIn:
        """
        The sign-in's new token.

        Raises:
            SecondFactorStays: The role must have one.
            NoSecondFactor: There is none.
            WrongCode, TooManyAttempts: The code does not count.
            SessionEnded: The sign-in ended meanwhile.
        """
        at = self.now()
        with self.check.counted(actor.user, at=at) as work:
            if actor.role.value in work.settings.at(at).second_factor_required_roles:
                raise SecondFactorStays
            self.check.use(work, actor.user, code, at=at)
            work.second_factors.remove(actor.user)
            work.audit.add(Deed(Action.SECOND_FACTOR_REMOVED, actor.user))
            return self.renew(work, actor, at=at, has_second_factor=False)


@frozen
class ResetSecondFactor:
    """
    Take a lost factor off an account, at a terminal.

    Every sign-in of it ends. Whoever must have a factor sets up a new one at the next.
    """

    begin: Begin[FactorWork]
    now: Clock

    def __call__(self, email: str) -> UserId:
        """
        Whose it was.

        Raises:
            NoSuchThing: Nobody has this address.
            NoSecondFactor: There was none.
        """
        at = self.now()
        with self.begin() as work:
            found = work.accounts.credentials(email.strip())
            if found is None:
                raise NoSuchThing("user")
            if not work.second_factors.remove(found.user):
                raise NoSecondFactor
            work.accounts.lock(found.user)
            work.challenges.close_all(found.user, at=at)
            work.sign_ins.end_all(found.user, at=at)
            work.audit.add(Deed(Action.SECOND_FACTOR_RESET, found.user))
        return found.user
