"""Everything about passwords over one store, with an inbox."""

import re
from itertools import count

from attrs import define, field

from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.adapters.memory.mailbox import MemoryMailer
from nexus.application.identity.account_mail import AskForReset, SendAccountMail
from nexus.application.identity.attempts import Attempts
from nexus.application.identity.change_password import ChangePassword, ChoosePassword, VerifyEmail
from nexus.application.identity.letters import Letters
from nexus.application.identity.links import OpenLink
from nexus.application.identity.sessions import OpenSignIn, RenewSignIn
from nexus.application.identity.tokens import token_hash
from nexus.domain.identity.mail import AccountMail, AccountMailAsked
from nexus.domain.kernel.ids import EventId
from people import Stage

SECRET = "correct horse battery"
NEXT = "another long secret"
EMAIL = "ada@acme.example"
RESET, INVITATION, VERIFY = AccountMail.RESET_PASSWORD, AccountMail.INVITATION, AccountMail.VERIFY_EMAIL


@define
class Desk:
    """Everything about passwords over one store, with an inbox."""

    stage: Stage
    mailer: MemoryMailer = field(factory=MemoryMailer)
    limiter: MemoryLimiter = field(factory=MemoryLimiter)
    handled: set = field(factory=set)
    numbers: object = field(factory=lambda: count(1))

    def new_token(self):
        return f"token-{next(self.numbers)}"

    @property
    def parts(self):
        return self.stage.begin, self.stage.now, self.stage.new_id

    @property
    def attempts(self):
        return Attempts(self.limiter)

    @property
    def open_link(self):
        return OpenLink(self.stage.begin, self.stage.now, self.attempts)

    def choose(self, purpose):
        return ChoosePassword(*self.parts, self.stage.passwords, self.attempts, self.open_link, purpose)

    @property
    def verify(self):
        return VerifyEmail(self.stage.begin, self.stage.now, self.open_link)

    @property
    def open_sign_in(self):
        return OpenSignIn(self.stage.new_id, self.new_token)

    @property
    def change(self):
        renew = RenewSignIn(self.open_sign_in)
        return ChangePassword(*self.parts, self.stage.passwords, self.attempts, renew)

    def forget(self, email=EMAIL):
        AskForReset(*self.parts, self.attempts)(email)

    def send(self, asked):
        SendAccountMail(
            self.stage.begin, self.stage.now, self.new_token, self.mailer, Letters("https://pass.example/")
        )(asked)

    def asked(self, user, mail):
        return AccountMailAsked(id=EventId(self.stage.new_id()), at=self.stage.at, user=user, mail=mail)

    def work_through(self):
        """What workers do."""
        for event in self.events():
            if event.id not in self.handled:
                self.handled.add(event.id)
                self.send(event)

    def events(self):
        with self.stage.work() as work:
            if hasattr(work, "world"):
                found = list(work.world.events.values())
            else:
                ids = work.connection.execute("SELECT id FROM outbox ORDER BY position").fetchall()
                found = [work.inbox.take(EventId(id_)).event for (id_,) in ids]
        return [event for event in found if isinstance(event, AccountMailAsked)]

    def link(self, page="reset-password"):
        """The secret in the newest mail."""
        [token] = re.findall(rf"https://pass\.example/account/{page}/(\S+)\n", self.mailer.mails[-1].text)
        return token

    def password(self, user):
        with self.stage.work() as work:
            return work.mail_tokens.addressee(user).password_hash

    def signs_in(self, user, role):
        """An open sign-in of somebody."""
        with self.stage.work() as work:
            return self.open_sign_in(
                work, user, role, at=self.stage.at, remember=False, has_second_factor=False, device=None
            )

    def is_in(self, token):
        with self.stage.work() as work:
            return work.sign_ins.recognise(token_hash(token), at=self.stage.at) is not None
