"""What stands in where no mail can be sent."""

from attrs import frozen

from nexus.application.kernel.mail import Mail, MailDelayed


@frozen
class Nowhere:
    """Keeps every mail waiting, and says why: nothing is lost, and somebody sees it."""

    reason: str

    def send(self, mail: Mail) -> None:  # noqa: ARG002 - whatever it is
        raise MailDelayed(self.reason)
