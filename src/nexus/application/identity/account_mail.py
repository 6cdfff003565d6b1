"""Ask for a mail about an account, and send it."""

from attrs import frozen

from nexus.application.identity.attempts import ASKING_FOR_MAIL, Attempts
from nexus.application.identity.letters import Letters
from nexus.application.identity.mail_ports import Addressee, MailTokenWork
from nexus.application.identity.ports import NewToken
from nexus.application.identity.tokens import token_hash
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.mail import Mailer, MailRefused
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.mail import LIFETIME, AccountMail, AccountMailAsked
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import EventId


@frozen
class AskForReset:
    """
    Have a link sent with which a forgotten password is replaced.

    Whether the address has an account changes nothing that whoever asks could see:
    the same statements run either way, and the mail is sent by somebody else, later.
    """

    begin: Begin[MailTokenWork]
    now: Clock
    new_id: NewId
    attempts: Attempts

    def __call__(self, email: str) -> None:
        """
        Raises:
            TooManyAttempts: Asked too often, for this address or from here.
        """
        self.attempts.take(ASKING_FOR_MAIL, email)
        typed = email.strip().replace("\x00", "").encode(errors="replace").decode()
        with self.begin() as work:
            found = work.accounts.credentials(typed)
            user = found.user if found is not None and found.is_active else None
            work.audit.add(Deed(Action.RESET_ASKED, user))
            work.outbox.add(
                AccountMailAsked(
                    id=EventId(self.new_id()), at=self.now(), user=user, mail=AccountMail.RESET_PASSWORD
                )
            )


@frozen
class AskForVerification:
    """Have the link sent again that proves one's address; nothing is sent once it is proven."""

    begin: Begin[MailTokenWork]
    now: Clock
    new_id: NewId
    attempts: Attempts

    def __call__(self, *, actor: Actor) -> None:
        """
        Raises:
            NoSuchThing: The account is gone.
            TooManyAttempts: Asked too often.
        """
        with self.begin() as work:
            me = work.mail_tokens.addressee(actor.user)
        if me is None:
            raise NoSuchThing("user")
        self.attempts.take(ASKING_FOR_MAIL, me.email)
        with self.begin() as work:
            work.audit.add(Deed(Action.VERIFICATION_ASKED, me.user))
            work.outbox.add(
                AccountMailAsked(
                    id=EventId(self.new_id()), at=self.now(), user=me.user, mail=AccountMail.VERIFY_EMAIL
                )
            )


@frozen
class SendAccountMail:
    """
    Make the link that somebody is waiting for, and mail it.

    At least once: made again, the link before is worth nothing, so that only the
    newest mail works. Its secret is kept hashed before the mail goes out, and no
    transaction is open while it does. A mail whose reason has gone is not sent.
    """

    begin: Begin[MailTokenWork]
    now: Clock
    new_token: NewToken
    mailer: Mailer
    letters: Letters

    def __call__(self, asked: AccountMailAsked) -> None:
        """
        Raises:
            MailDelayed: It could not be sent now.
        """
        if asked.user is None:
            return
        at = self.now()
        token = self.new_token()
        with self.begin() as work:
            to = work.mail_tokens.addressee(asked.user)
            if to is None or has_no_reason(asked.mail, to):
                return
            if asked.mail in LIFETIME:
                until = at + LIFETIME[asked.mail]
                work.mail_tokens.replace(to.user, asked.mail, token_hash(token), at=at, until=until)
        try:
            self.mailer.send(self.letters.write(asked.mail, to, token))
        except MailRefused:
            # Nobody can have the link; that the address takes no mail is in the mailer's log.
            with self.begin() as work:
                if asked.mail in LIFETIME:
                    work.mail_tokens.use(token_hash(token), asked.mail, at=self.now())


def has_no_reason(mail: AccountMail, to: Addressee) -> bool:
    """Whether what a mail was for has come about without it."""
    return (mail is AccountMail.VERIFY_EMAIL and to.email_verified_at is not None) or (
        mail is AccountMail.INVITATION and to.password_hash is not None
    )
