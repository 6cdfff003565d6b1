"""Look at a link from a mail, as often as anybody likes."""

from attrs import frozen

from nexus.application.identity.attempts import Attempts
from nexus.application.identity.mail_ports import Addressee, MailTokenWork
from nexus.application.identity.tokens import LONGEST_TOKEN, token_hash
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.identity.mail import AccountMail, LinkNotValid


@frozen
class OpenLink:
    """Whose link it is. Looking does not use it: programs that check mails follow links too."""

    begin: Begin[MailTokenWork]
    now: Clock
    attempts: Attempts

    def __call__(self, token: str, purpose: AccountMail) -> Addressee:
        """
        Raises:
            TooManyAttempts: Too many came from here.
            LinkNotValid: Used, expired, replaced, or none.
        """
        self.attempts.take_link()
        if len(token) > LONGEST_TOKEN:
            raise LinkNotValid
        with self.begin() as work:
            found = work.mail_tokens.holder(token_hash(token), purpose, at=self.now())
        if found is None:
            raise LinkNotValid
        return found
