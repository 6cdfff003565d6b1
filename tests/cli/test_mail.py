"""`nexus mail`: the inbox of a development installation."""

import pytest

from nexus.adapters.mail.folder import FolderMailer
from nexus.application.kernel.mail import Mail


@pytest.fixture
def inbox(tmp_path):
    mailer = FolderMailer(tmp_path / "mail", "Nexus Family Pass <no-reply@localhost>")
    for subject in ("One", "Two"):
        mailer.send(Mail(to="ada@acme.example", subject=subject, text=f"This is {subject}.\n"))
    return tmp_path


def test_mails_are_listed_the_newest_first_and_shown_by_number(run, inbox):
    listed = run("mail", data_dir=str(inbox))
    assert listed.status == 0
    assert [line.split()[-1] for line in listed.output.splitlines()] == ["Two", "One"]
    assert "ada@acme.example" in listed.output
    shown = run("mail", "2", data_dir=str(inbox))
    assert shown.output.endswith("To: ada@acme.example\nSubject: One\n\nThis is One.\n")
    stated = run("mail", "--json", data_dir=str(inbox)).json
    assert [one["text"] for one in stated] == ["This is Two.\n", "This is One.\n"]
    assert run("mail", "2", "--json", data_dir=str(inbox)).json == stated[1:]


def test_what_is_not_there_is_one_line(run, inbox, tmp_path_factory):
    missing = run("mail", "3", data_dir=str(inbox))
    assert (missing.status, missing.fault) == (1, "nexus: there is no mail 3; there are 2\n")
    empty = run("mail", data_dir=str(tmp_path_factory.mktemp("empty")))
    assert (empty.status, empty.output) == (0, "No mail yet.\n")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"smtp_url": "http://mail.example"}, "NEXUS_SMTP_URL"),
        ({"public_url": "pass.example"}, "NEXUS_PUBLIC_URL"),
        ({"public_url": "https://pass.example/?x=1"}, "NEXUS_PUBLIC_URL"),
        ({"mail_from": "nobody"}, "NEXUS_MAIL_FROM"),
        ({"mail_from": "A <a@b.example>\nBcc: eve@evil.example"}, "NEXUS_MAIL_FROM"),
    ],
)
def test_settings_of_mail_that_make_no_sense_are_refused(run, variables, named):
    outcome = run("settings", **variables)
    assert outcome.status == 2
    assert named in outcome.fault


def test_the_server_s_password_is_not_shown(run):
    assert "hunter2" not in run("settings", smtp_url="smtp://x:hunter2@mail.example").output
