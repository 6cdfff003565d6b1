"""What the mails about an account say."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from attrs import frozen

from nexus.application.identity.mail_ports import Addressee
from nexus.application.kernel.mail import Mail
from nexus.domain.identity.mail import LIFETIME, AccountMail

PAGES: Final[Mapping[AccountMail, str]] = {
    AccountMail.VERIFY_EMAIL: "verify-email",
    AccountMail.RESET_PASSWORD: "reset-password",
    AccountMail.INVITATION: "invitation",
}
"""The pages below ``/account`` that the links lead to."""

SUBJECTS: Final[Mapping[AccountMail, str]] = {
    AccountMail.VERIFY_EMAIL: "Confirm your address for Nexus Family Pass",
    AccountMail.RESET_PASSWORD: "A new password for Nexus Family Pass",
    AccountMail.INVITATION: "Your account on Nexus Family Pass",
    AccountMail.PASSWORD_CHANGED: "Your password for Nexus Family Pass was changed",
}

TEXTS: Final[Mapping[AccountMail, str]] = {
    AccountMail.VERIFY_EMAIL: """\
please confirm that this address is yours:

{link}

The link works once, for {lifetime}. If you have no account with us, somebody
mistyped an address: do nothing.
""",
    AccountMail.RESET_PASSWORD: """\
somebody asked for a new password for your account. If that was you, choose it
here:

{link}

The link works once, for {lifetime}. If it was not you, do nothing: your
password stays as it is.
""",
    AccountMail.INVITATION: """\
{company}
has opened an account for you on Nexus Family Pass. Choose a password:

{link}

The link works once, for {lifetime}. After that, ask for a new one with
"Forgot password".
""",
    AccountMail.PASSWORD_CHANGED: """\
the password of your account was changed just now. Everybody who was signed in
with the old one was signed out.

If that was not you, somebody knows your password: ask for a new one at

{home}

and tell whoever runs the pass in your company.
""",
}

CLOSING: Final = "\nNexus Family Pass\n"


@frozen
class Letters:
    """Writes them; links lead to pages below this address."""

    public_url: str

    def write(self, kind: AccountMail, to: Addressee, token: str) -> Mail:
        """A letter with a link that holds the token, where a letter of this kind has one."""
        home = self.public_url.rstrip("/")
        said = TEXTS[kind].format(
            link=f"{home}/account/{PAGES[kind]}/{token}" if kind in PAGES else "",
            lifetime=in_words(LIFETIME[kind]) if kind in LIFETIME else "",
            company=plain(to.belongs_to or "Nexus Family Pass"),
            home=f"{home}/account/forgot-password",
        )
        return Mail(
            to=to.email, subject=SUBJECTS[kind], text=f"Hello {plain(to.first_name)},\n\n{said}{CLOSING}"
        )


def plain(name: str) -> str:
    """A name on one line, and nothing that a mail program would turn into a link."""
    shown = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(re.sub(r"\.(?=\S)", ". ", shown.replace("://", " ")).split())


def in_words(lifetime: timedelta) -> str:
    """``30 minutes``, ``24 hours``, ``14 days``."""
    if lifetime < timedelta(hours=1):
        return f"{lifetime // timedelta(minutes=1)} minutes"
    if lifetime < timedelta(days=2):
        return f"{lifetime // timedelta(hours=1)} hours"
    return f"{lifetime // timedelta(days=1)} days"
