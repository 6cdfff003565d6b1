"""Mails kept in a folder, in development."""

import stat

from nexus.adapters.mail.folder import FolderMailer, kept_mails
from nexus.application.kernel.mail import Mail

ORIGIN = "Nexus Family Pass <no-reply@localhost>"


def test_mails_are_kept_for_their_owner_alone_the_newest_first(tmp_path):
    folder = tmp_path / "data" / "mail"
    assert kept_mails(folder) == []
    mailer = FolderMailer(folder, ORIGIN)
    mailer.send(Mail(to="zoe@acme.example", subject="One", text="Grüße\n"))
    mailer.send(Mail(to="zoe@acme.example", subject="Two", text="x" * 500 + "\n"))
    two, one = kept_mails(folder)
    assert (one.to, one.subject, one.text) == ("zoe@acme.example", "One", "Grüße\n")
    assert two.text == "x" * 500 + "\n"
    files = list(folder.iterdir())
    assert {file.suffix for file in files} == {".eml"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
