"""Mails about an account, and the links in them."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

from nexus.domain.kernel.errors import NotFound
from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import UserId


class AccountMail(StrEnum):
    """What somebody is written to about their account."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a mail
    INVITATION = "invitation"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - as above


LIFETIME: Final[Mapping[AccountMail, timedelta]] = {
    AccountMail.VERIFY_EMAIL: timedelta(hours=24),
    AccountMail.RESET_PASSWORD: timedelta(minutes=30),
    AccountMail.INVITATION: timedelta(days=14),
}
"""How long the link in a mail is good for; mails of other kinds have none."""


@frozen(kw_only=True)
class AccountMailAsked(Event):
    """
    A mail is due; its link is made when it is sent.

    There is nobody to write to when somebody asked in the name of an address that has
    no account: that leaves the same trace as one that has.
    """

    user: UserId | None
    mail: AccountMail


@frozen
class LinkNotValid(NotFound):
    """This link is not valid: it was used, has expired, or a newer one was sent."""
