"""Sign in, stay known, sign out."""

from hashlib import sha256
from uuid import UUID

from attrs import frozen

from nexus.application.identity.attempts import SIGNING_IN, Attempts
from nexus.application.identity.ports import NewToken, Passwords, SignInWork
from nexus.application.identity.views import Me, SignInResult
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.credentials import LONGEST, SignedIn, WrongCredentials, is_short, normalised
from nexus.domain.kernel.errors import NoSuchThing

LONGEST_TOKEN = 200


def token_hash(token: str) -> bytes:
    """What is kept of a token; it has 256 random bits, so that a fast hash is enough."""
    return sha256(token.encode(errors="replace")).digest()


@frozen
class SignIn:
    """
    Prove who you are with a password.

    An unknown address, a disabled account and a wrong password are one error and
    take one time: nobody learns who has an account.
    """

    begin: Begin[SignInWork]
    now: Clock
    new_id: NewId
    new_token: NewToken
    passwords: Passwords
    attempts: Attempts

    def __call__(self, email: str, password: str) -> SignInResult:
        """
        A token for thirty days.

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
        token = self.new_token()
        signed_in = SignedIn.of(str(self.new_id()), found.user, at=at)
        with self.begin() as work:
            if better is not None:
                work.accounts.rehash(found.user, better)
            work.sign_ins.add(token_hash(token), signed_in)
            me = work.accounts.me(found.user)
            work.audit.add(Deed(Action.SIGNED_IN, found.user, by=found.user))
        if me is None:
            raise WrongCredentials
        return SignInResult(
            token=token, expires_at=signed_in.expires_at, password_is_short=is_short(password), me=me
        )


@frozen
class Authenticate:
    """Whose token this is: one query; ``None`` if unknown, ended, or of a disabled account."""

    begin: Begin[SignInWork]
    now: Clock

    def __call__(self, token: str, /) -> Actor | None:
        if len(token) > LONGEST_TOKEN:
            return None
        with self.begin() as work:
            return work.sign_ins.actor(token_hash(token), at=self.now())


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
