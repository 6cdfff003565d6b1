"""Sign in, stay known, sign out."""

from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from nexus.application.identity.attempts import SIGNING_IN, Attempts
from nexus.application.identity.factor_ports import Challenge, FactorWork
from nexus.application.identity.ports import Passwords, SignInWork
from nexus.application.identity.sessions import NewSignIn, OpenSignIn
from nexus.application.identity.tokens import LONGEST_TOKEN, token_hash
from nexus.application.identity.views import Me, SecondFactorNeeded
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.credentials import LONGEST, WrongCredentials, is_short, normalised
from nexus.domain.identity.second_factor import CHALLENGE_LASTS
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import UserId


@frozen(kw_only=True)
class SignInResult:
    """Somebody has proven who they are; the token is given this once."""

    sign_in: NewSignIn = field(repr=False)
    password_is_short: bool | None
    """None where no password was shown."""
    me: Me

    @property
    def token(self) -> str:
        return self.sign_in.token


@frozen
class SignIn:
    """
    Prove who you are with a password.

    An unknown address, a disabled account and a wrong password are one error and
    take one time: nobody learns who has an account.
    """

    begin: Begin[FactorWork]
    now: Clock
    open_sign_in: OpenSignIn
    passwords: Passwords
    attempts: Attempts

    def __call__(
        self, email: str, password: str, *, remember: bool = False, device: str | None = None
    ) -> SignInResult | SecondFactorNeeded:
        """
        A sign-in for a working day, or to *remember* for thirty days.

        Where a second factor is set up, a challenge instead, which a code turns into one.

        Raises:
            TooManyAttempts: Too many were wrong; nothing was looked at.
            WrongCredentials: Not this address with this password.
        """
        self.attempts.take(SIGNING_IN, email)
        with self.begin() as work:
            found = work.accounts.credentials(email.strip()) if "\x00" not in email else None
        # No transaction is open while the slow hash is computed.
        typed = normalised(password[: LONGEST * 4]).encode(errors="replace").decode()
        proven = self.passwords.verify(typed, found.password_hash if found else None)
        if found is None or not proven or not found.is_active:
            # What was typed is in no log: it may be a password in the wrong field.
            with self.begin() as work:
                work.audit.add(Deed(Action.SIGN_IN_FAILED, found.user if found else None))
            raise WrongCredentials
        self.attempts.succeeded(SIGNING_IN, email)
        better = (
            self.passwords.hash(typed)
            if found.password_hash and self.passwords.needs_rehash(found.password_hash)
            else None
        )
        at = self.now()
        with self.begin() as work:
            # Who changes the password or shuts the account meanwhile waits, or has won.
            if found.password_hash is None or not work.accounts.hold(found.user, found.password_hash):
                raise WrongCredentials
            if better is not None:
                work.accounts.rehash(found.user, better)
            factor = work.second_factors.get(found.user)
            if factor is not None and factor.seed is not None:
                return self._challenge(work, found.user, remember=remember, at=at)
            me = work.accounts.me(found.user)
            if me is None:
                raise WrongCredentials
            new = self.open_sign_in(
                work, me.id, me.role, at=at, remember=remember, has_second_factor=False, device=device
            )
            work.audit.add(Deed(Action.SIGNED_IN, me.id, by=me.id))
        return SignInResult(sign_in=new, password_is_short=is_short(password), me=me)

    def _challenge(
        self, work: FactorWork, user: UserId, *, remember: bool, at: datetime
    ) -> SecondFactorNeeded:
        token = self.open_sign_in.new_token()
        expires_at = at + CHALLENGE_LASTS
        work.challenges.add(
            token_hash(token),
            Challenge(user=user, remember=remember, created_at=at, expires_at=expires_at),
        )
        work.audit.add(Deed(Action.SECOND_FACTOR_ASKED, user, by=user))
        return SecondFactorNeeded(challenge=token, expires_at=expires_at)


@frozen
class Authenticate:
    """
    Whose token this is; ``None`` if unknown, ended, idle for too long, or of a disabled account.

    One statement, which also notes once a minute that the sign-in is in use.
    """

    begin: Begin[SignInWork]
    now: Clock

    def __call__(self, token: str, /) -> Actor | None:
        if len(token) > LONGEST_TOKEN:
            return None
        with self.begin() as work:
            return work.sign_ins.recognise(token_hash(token), at=self.now())


@frozen
class SignOut:
    """End the sign-in that was used to ask; its token is worth nothing from now on."""

    begin: Begin[SignInWork]
    now: Clock

    def __call__(self, *, actor: Actor) -> None:
        if actor.session is None:
            return
        with self.begin() as work:
            work.sign_ins.end(actor.session, actor.user, at=self.now())
            work.audit.add(Deed(Action.SIGNED_OUT, UUID(actor.session)))


@frozen
class ShowMe:
    """Who is asking."""

    begin: Begin[SignInWork]

    def __call__(self, *, actor: Actor) -> Me:
        """
        Raises:
            NoSuchThing: The account is gone.
        """
        with self.begin() as work:
            me = work.accounts.me(actor.user)
        if me is None:
            raise NoSuchThing("user")
        return me
