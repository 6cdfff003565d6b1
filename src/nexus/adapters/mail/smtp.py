"""Mails handed to a server by SMTP."""

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import structlog
from attrs import field, frozen

from nexus.adapters.mail.message import message, sender
from nexus.application.kernel.mail import Mail, MailDelayed, MailRefused

PORTS: Final = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_FOR_GOOD: Final = 500

_log = structlog.get_logger("nexus.mail")


@frozen
class SmtpMailer:
    """
    Hands each mail over on a connection of its own.

    ``smtp://`` begins with STARTTLS and sends nothing without, ``smtps://`` is TLS from
    the first byte; certificates are checked. ``smtp+plain://`` is for a relay on this
    machine. Neither addresses nor texts are logged, nor anything that a server says:
    it may repeat them.
    """

    url: SplitResult = field(repr=False)
    origin: str
    patience: float = 10.0
    """Seconds to wait for each answer."""
    trust: ssl.SSLContext = field(factory=ssl.create_default_context, repr=False)

    @classmethod
    def at(cls, url: str, *, origin: str) -> "SmtpMailer":
        """
        Raises:
            ValueError: The URL or the sender's address cannot be meant.
        """
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("must be smtp://, smtps:// or smtp+plain:// with a host")
        sender(origin)
        return cls(parts, origin)

    def send(self, mail: Mail) -> None:
        made = message(mail, origin=sender(self.origin))
        try:
            self._deliver(made)
        except smtplib.SMTPRecipientsRefused as refused:
            [(code, _)] = refused.recipients.values()
            raise self._failure("recipient", code) from None
        except smtplib.SMTPDataError as refused:
            raise self._failure("content", refused.smtp_code) from None
        except smtplib.SMTPResponseException as refused:
            # The server does not take us, whoever it is for: that is for the operator to mend.
            raise _delayed(f"{type(refused).__name__} {refused.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise _delayed(type(error).__name__) from None

    def _deliver(self, made: EmailMessage) -> None:
        server = self._connected()
        try:
            try:
                server.send_message(made)
            except smtplib.SMTPNotSupportedError:
                raise self._failure("address", _FOR_GOOD) from None
            # Accepted is accepted, however the goodbye goes.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()

    def _connected(self) -> smtplib.SMTP:
        host, port = str(self.url.hostname), self.url.port or PORTS[self.url.scheme]
        server: smtplib.SMTP
        if self.url.scheme == "smtps":
            server = smtplib.SMTP_SSL(host, port, timeout=self.patience, context=self.trust)
        else:
            server = smtplib.SMTP(host, port, timeout=self.patience)
        try:
            if self.url.scheme == "smtp":
                server.starttls(context=self.trust)
            if self.url.username:
                server.login(unquote(self.url.username), unquote(self.url.password or ""))
        except BaseException:
            server.close()
            raise
        return server

    @staticmethod
    def _failure(what: str, code: int) -> MailRefused | MailDelayed:
        if code >= _FOR_GOOD:
            _log.warning("mail was refused", reason=f"{what} {code}")
            return MailRefused(f"{what} {code}")
        return _delayed(f"{what} {code}")


def _delayed(reason: str) -> MailDelayed:
    _log.warning("mail is waiting", reason=reason)
    return MailDelayed(reason)
