"""Mails that go nowhere, for tests."""

from attrs import define, field

from nexus.application.kernel.mail import Mail


@define
class MemoryMailer:
    """Keeps what it was handed, and fails once with each error that it was given."""

    mails: list[Mail] = field(factory=list)
    failures: list[Exception] = field(factory=list)

    def send(self, mail: Mail) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.mails.append(mail)
