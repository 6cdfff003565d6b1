"""What stands in where no mail can be sent."""

import structlog
from attrs import frozen

from nexus.application.kernel.mail import Mail, MailDelayed

_log = structlog.get_logger("nexus.mail")


@frozen
class Nowhere:
    """Keeps every mail waiting, and says why: nothing is lost, and somebody sees it."""

    reason: str

    def send(self, mail: Mail) -> None:  # noqa: ARG002 - whatever it is
        _log.warning("mail is waiting", reason=self.reason)
        raise MailDelayed(self.reason)
