"""Mails to single people."""

from typing import ClassVar, Protocol

from attrs import field, frozen


@frozen(kw_only=True)
class Mail:
    """A mail in plain text to one address; its text may hold a secret."""

    to: str
    subject: str
    text: str = field(repr=False)


class MailRefused(Exception):
    """Nobody takes mail for this address, or this mail: trying again changes nothing."""

    is_impersonal: ClassVar[bool] = True
    """What it says is made of codes."""


class MailDelayed(Exception):
    """The mail could not be handed over now; it is worth another try later."""

    is_impersonal: ClassVar[bool] = True
    """What it says is made of codes."""


class Mailer(Protocol):
    """Hands mails over."""

    def send(self, mail: Mail) -> None:
        """
        Hand over one mail.

        Raises:
            MailRefused: For good.
            MailDelayed: Not now.
        """
        ...
