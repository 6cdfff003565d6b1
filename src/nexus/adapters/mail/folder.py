"""Mails kept in a folder, for whoever develops: the next best thing to an inbox."""

from collections.abc import Sequence
from email import policy
from email.parser import BytesParser
from pathlib import Path
from time import time_ns

from attrs import frozen

from nexus.adapters.mail.message import message, sender
from nexus.application.kernel.mail import Mail


@frozen
class FolderMailer:
    """Writes each mail into a file of its own that its owner alone may read."""

    folder: Path
    origin: str

    def send(self, mail: Mail) -> None:
        made = message(mail, origin=sender(self.origin))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.folder / f"{time_ns()}.eml"
        # Complete under its name, or not there: somebody may be looking.
        unfinished = file.with_suffix(".part")
        unfinished.touch(mode=0o600, exist_ok=False)
        unfinished.write_bytes(made.as_bytes())
        unfinished.rename(file)


@frozen
class KeptMail:
    """A mail in the folder."""

    date: str
    to: str
    subject: str
    text: str


def kept_mails(folder: Path) -> Sequence[KeptMail]:
    """The mails in a folder, the newest first."""
    files = sorted(folder.glob("*.eml"), reverse=True) if folder.is_dir() else []
    return [_read(file) for file in files]


def _read(file: Path) -> KeptMail:
    read = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
    text = read.get_content().replace("\r\n", "\n")
    return KeptMail(str(read["Date"]), str(read["To"]), str(read["Subject"]), text)
