"""What use cases about mailed links ask of stores."""

from datetime import datetime
from typing import Protocol

from attrs import field, frozen

from nexus.application.identity.factor_ports import FactorWork
from nexus.application.kernel.ports import Outbox
from nexus.domain.identity.mail import AccountMail
from nexus.domain.kernel.ids import UserId


@frozen(kw_only=True)
class Addressee:
    """Whom a mail is for, or whose link it is."""

    user: UserId
    email: str
    first_name: str
    last_name: str
    belongs_to: str | None
    """The name of the company or venue."""
    password_hash: str | None = field(repr=False)
    email_verified_at: datetime | None

    @property
    def own_words(self) -> tuple[str, ...]:
        """What a password of theirs should not consist of."""
        return self.email, self.first_name, self.last_name


class MailTokens(Protocol):
    """The secrets of mailed links, by their hash: of each purpose an account has one, the newest."""

    def addressee(self, user: UserId) -> Addressee | None:
        """Somebody whose account is not disabled."""
        ...

    def replace(
        self, user: UserId, purpose: AccountMail, token_hash: bytes, *, at: datetime, until: datetime
    ) -> None:
        """Keep this one; the one before is worth nothing from now on."""
        ...

    def holder(self, token_hash: bytes, purpose: AccountMail, *, at: datetime) -> Addressee | None:
        """Whose it is, if it is good and the account not disabled; looking does not use it."""
        ...

    def use(self, token_hash: bytes, purpose: AccountMail, *, at: datetime) -> UserId | None:
        """Use it up. Of several at once one gets the account, the others ``None``."""
        ...

    def void(self, user: UserId, *, at: datetime) -> None:
        """No link that was sent to this account is worth anything from now on."""
        ...

    def verify(self, user: UserId, email: str, *, at: datetime) -> None:
        """Note that the address was proven, the first time, if it is still the account's."""
        ...


class MailTokenWork(FactorWork, Protocol):
    """A unit of work that knows accounts, their sign-ins and the links mailed to them."""

    @property
    def mail_tokens(self) -> MailTokens: ...

    @property
    def outbox(self) -> Outbox: ...
