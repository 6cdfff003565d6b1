"""Change one's own password, or choose it by a mailed link."""

from attrs import frozen

from nexus.application.identity.attempts import SIGNING_IN, Attempts
from nexus.application.identity.links import OpenLink
from nexus.application.identity.mail_ports import MailTokenWork
from nexus.application.identity.ports import Passwords
from nexus.application.identity.sessions import NewSignIn, RenewSignIn
from nexus.application.identity.tokens import token_hash
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.credentials import LONGEST, WrongPassword, normalised
from nexus.domain.identity.mail import AccountMail, AccountMailAsked, LinkNotValid
from nexus.domain.identity.passwords import chosen_password
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import EventId


@frozen
class ChangePassword:
    """
    Replace one's password, knowing the present one.

    The present sign-in goes on under a new token, every other one ends, and so do
    sign-ins that await their second factor and links that were mailed. A mail says
    that it was done.
    """

    begin: Begin[MailTokenWork]
    now: Clock
    new_id: NewId
    passwords: Passwords
    attempts: Attempts
    renew_sign_in: RenewSignIn

    def __call__(self, present: str, wanted: str, *, actor: Actor) -> NewSignIn:
        """
        The sign-in that goes on.

        Raises:
            TooManyAttempts: The present password was wrong too often; nothing was looked at.
            WrongPassword: That is not the present one.
            UnacceptablePassword, GuessablePassword: The new one may not be chosen.
            NoSuchThing: The account is gone.
            SessionEnded: The sign-in ended meanwhile.
        """
        with self.begin() as work:
            me = work.mail_tokens.addressee(actor.user)
        if me is None:
            raise NoSuchThing("user")
        self.attempts.take(SIGNING_IN, me.email)
        # No transaction is open while the slow hashes are computed.
        typed = normalised(present[: LONGEST * 4]).encode(errors="replace").decode()
        if not self.passwords.verify(typed, me.password_hash):
            raise WrongPassword
        self.attempts.succeeded(SIGNING_IN, me.email)
        hashed = self.passwords.hash(chosen_password(wanted, own=me.own_words, common=self.passwords.common))
        at = self.now()
        with self.begin() as work:
            # Links before the account, as where a link is used: who meets there waits, and never for each other.
            work.mail_tokens.void(me.user, at=at)
            work.accounts.rehash(me.user, hashed)
            work.challenges.close_all(me.user, at=at)
            renewed = self.renew_sign_in(work, actor, at=at)
            work.audit.add(Deed(Action.PASSWORD_CHANGED, me.user))
            work.outbox.add(
                AccountMailAsked(
                    id=EventId(self.new_id()), at=at, user=me.user, mail=AccountMail.PASSWORD_CHANGED
                )
            )
        return renewed


@frozen
class ChoosePassword:
    """
    Choose a password by a mailed link: a forgotten one's successor, or the first.

    The link works once and proves the address. Every sign-in ends, and every other
    link that was mailed; nobody is signed in by it. A mail says that a password was
    replaced.
    """

    begin: Begin[MailTokenWork]
    now: Clock
    new_id: NewId
    passwords: Passwords
    attempts: Attempts
    open_link: OpenLink
    purpose: AccountMail

    def __call__(self, token: str, wanted: str) -> None:
        """
        Raises:
            TooManyAttempts: Too many came from here.
            LinkNotValid: Used, expired, replaced, or none.
            UnacceptablePassword, GuessablePassword: It may not be chosen; the link stays good.
        """
        holder = self.open_link(token, self.purpose)
        # Computed for good links only, and while no transaction is open.
        hashed = self.passwords.hash(
            chosen_password(wanted, own=holder.own_words, common=self.passwords.common)
        )
        at = self.now()
        with self.begin() as work:
            if work.mail_tokens.use(token_hash(token), self.purpose, at=at) is None:
                raise LinkNotValid
            work.accounts.rehash(holder.user, hashed)
            work.mail_tokens.verify(holder.user, holder.email, at=at)
            work.mail_tokens.void(holder.user, at=at)
            work.sign_ins.end_all(holder.user, at=at)
            work.challenges.close_all(holder.user, at=at)
            work.audit.add(
                Deed(Action.PASSWORD_CHOSEN, holder.user, new={"by": self.purpose.value}, by=holder.user)
            )
            if holder.password_hash is not None:
                work.outbox.add(
                    AccountMailAsked(
                        id=EventId(self.new_id()), at=at, user=holder.user, mail=AccountMail.PASSWORD_CHANGED
                    )
                )
        # The way in for somebody whom others keep out by guessing.
        self.attempts.succeeded(SIGNING_IN, holder.email)


@frozen
class VerifyEmail:
    """Prove by a mailed link that an address is one's own."""

    begin: Begin[MailTokenWork]
    now: Clock
    open_link: OpenLink

    def __call__(self, token: str) -> None:
        """
        Raises:
            TooManyAttempts: Too many came from here.
            LinkNotValid: Used, expired, replaced, or none.
        """
        holder = self.open_link(token, AccountMail.VERIFY_EMAIL)
        at = self.now()
        with self.begin() as work:
            if work.mail_tokens.use(token_hash(token), AccountMail.VERIFY_EMAIL, at=at) is None:
                raise LinkNotValid
            work.mail_tokens.verify(holder.user, holder.email, at=at)
            work.audit.add(Deed(Action.EMAIL_VERIFIED, holder.user, by=holder.user))
