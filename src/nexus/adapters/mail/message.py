"""A mail as a message of RFC 5322."""

import re
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Final

from nexus.application.kernel.mail import Mail, MailRefused

_SENDER: Final = re.compile(r"(?P<name>[^<>]*?)\s*<(?P<address>[^<>]+)>|(?P<bare>[^<>]+)")


def sender(text: str) -> Address:
    """
    ``Somebody <a@b.example>`` or a bare address, as the sender of all mails.

    Raises:
        ValueError: It is none.
    """
    found = _SENDER.fullmatch(text.strip())
    if found is None:
        raise ValueError("not an e-mail address")
    return _address(found["name"] or "", found["address"] or found["bare"])


def message(mail: Mail, *, origin: Address) -> EmailMessage:
    """
    The message: plain text in UTF-8, to one address, with a name of its own.

    Raises:
        MailRefused: The address or subject cannot stand in a header.
    """
    made = EmailMessage(policy=SMTP)
    try:
        made["From"] = origin
        made["To"] = _address("", mail.to)
        made["Subject"] = mail.subject
    except (ValueError, MessageError, UnicodeError):
        raise MailRefused("unusable header") from None
    made["Date"] = formatdate(usegmt=True)
    made["Message-ID"] = make_msgid(domain=origin.domain)
    # Nobody answers a machine with an out-of-office note.
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(mail.text, charset="utf-8", cte="quoted-printable")
    return made


def _address(name: str, address: str) -> Address:
    user, _, domain = address.rpartition("@")
    if not user or not domain or not (user + domain).isprintable() or " " in user + domain:
        raise ValueError("not an e-mail address")
    return Address(name, username=user, domain=domain.encode("idna").decode())
