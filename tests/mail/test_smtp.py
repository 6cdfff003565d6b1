"""Mails over real SMTP, to a server that nobody here wrote."""

import ssl
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from ipaddress import ip_address

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from structlog.testing import capture_logs

from nexus.adapters.embedded.process import free_port
from nexus.adapters.mail.message import message, sender
from nexus.adapters.mail.nowhere import Nowhere
from nexus.adapters.mail.smtp import SmtpMailer
from nexus.application.kernel.mail import Mail, MailDelayed, MailRefused

ORIGIN = "Nexus Family Pass <no-reply@pass.example>"
TEXT = "Hello Zoë,\n\nhttps://pass.example/account/reset-password/s3cret\n" + "long " * 300 + "\n"
MAIL = Mail(to="zoe@acme.example", subject="A new password – for you", text=TEXT)


class Inbox:
    """What a server took, and how it answers."""

    def __init__(self):
        self.taken = []
        self.said_to_recipient = self.said_to_content = None
        self.knows = None

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.said_to_recipient:
            return self.said_to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.said_to_content:
            return self.said_to_content
        self.taken.append((session.ssl is not None, envelope))
        return "250 OK"

    def knock(self, server, session, envelope, mechanism, data):
        self.knows = (data.login, data.password)
        return AuthResult(success=data.password == b"p@ss/word", handled=False)

    def only(self):
        [(_, envelope)] = self.taken
        return envelope


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def plain(inbox):
    """The address of a server without TLS."""
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield f"127.0.0.1:{controller.port}"
    controller.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A server's own certificate: what it serves with, and who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    return serving, ssl.create_default_context(cafile=str(file))


@pytest.fixture
def tls(inbox, certificate):
    """The address of a server that wants STARTTLS and a password, and whoever trusts it."""
    serving, trust = certificate
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=serving,
        require_starttls=True,
        authenticator=inbox.knock,
        auth_required=True,
    )
    controller.start()
    yield f"127.0.0.1:{controller.port}", trust
    controller.stop()


def mailer(url, **more):
    made = SmtpMailer.at(url, origin=ORIGIN)
    return SmtpMailer(made.url, made.origin, patience=2, **more)


def test_a_mail_arrives_as_it_was_written(inbox, plain):
    mailer(f"smtp+plain://{plain}").send(MAIL)
    assert inbox.only().rcpt_tos == ["zoe@acme.example"]
    assert inbox.only().mail_from == "no-reply@pass.example"
    assert max(map(len, inbox.only().content.split(b"\r\n"))) <= 78
    read = message_from_bytes(inbox.only().content, policy=policy.default)
    assert read.get_content().replace("\r\n", "\n") == TEXT
    assert read.get_content_type() == "text/plain"
    assert read["subject"] == MAIL.subject
    assert read["to"] == "zoe@acme.example"
    assert read["from"] == ORIGIN
    assert read["auto-submitted"] == "auto-generated"
    assert read["message-id"].endswith("@pass.example>")
    assert read["date"].datetime.tzinfo is not None


def test_each_mail_has_a_name_of_its_own():
    """Many inboxes drop a second mail of the same name; it may hold the only link that works."""
    names = {message(MAIL, origin=sender(ORIGIN))["message-id"] for _ in range(3)}
    assert len(names) == 3


def test_starttls_comes_before_password_and_mail(inbox, tls):
    address, trust = tls
    mailer(f"smtp://nexus:p%40ss%2Fword@{address}", trust=trust).send(MAIL)
    assert inbox.knows == (b"nexus", b"p@ss/word")
    assert inbox.taken[0][0], "over TLS"


def test_who_cannot_be_trusted_gets_neither_password_nor_mail(inbox, tls):
    address, _ = tls
    with pytest.raises(MailDelayed, match="SSLCertVerificationError"):
        mailer(f"smtp://nexus:p%40ss%2Fword@{address}").send(MAIL)
    assert (inbox.knows, inbox.taken) == (None, [])


def test_without_tls_nothing_is_sent_unless_that_was_said(inbox, plain):
    with pytest.raises(MailDelayed, match="SMTPNotSupportedError"):
        mailer(f"smtp://{plain}").send(MAIL)
    assert inbox.taken == []


def test_a_wrong_password_keeps_the_mail_waiting(inbox, tls):
    address, trust = tls
    with pytest.raises(MailDelayed, match="SMTPAuthenticationError 535"):
        mailer(f"smtp://nexus:wrong@{address}", trust=trust).send(MAIL)


@pytest.mark.parametrize("where", ["said_to_recipient", "said_to_content"])
@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("451 greylisted zoe@acme.example, come back", MailDelayed),
        ("550 no zoe@acme.example here", MailRefused),
    ],
)
def test_451_is_tried_again_and_550_is_not(inbox, plain, where, said, error):
    setattr(inbox, where, said)
    with capture_logs() as logs, pytest.raises(error) as raised:
        mailer(f"smtp+plain://{plain}").send(MAIL)
    assert said[:3] in str(raised.value)
    assert "zoe" not in str(raised.value) + str(logs), "nothing that tells of a person"
    [line] = logs
    assert said[:3] in line["reason"]
    setattr(inbox, where, None)
    mailer(f"smtp+plain://{plain}").send(MAIL)
    assert inbox.only().rcpt_tos == ["zoe@acme.example"]


def test_a_server_that_is_away_delays():
    with pytest.raises(MailDelayed, match="ConnectionRefusedError"):
        mailer("smtp+plain://127.0.0.1:1").send(MAIL)


@pytest.mark.parametrize(
    "to",
    [
        "zoe@acme.example\r\nBcc: eve@evil.example",
        "zoe@acme.example\nX-Evil: 1",
        "zoe@acme.example, eve@evil.example",
        "<zoe@acme.example> eve@evil.example",
        "nobody",
        "@acme.example",
        "zoe@" + "x" * 300 + ".example",
    ],
)
def test_an_address_is_one_address_or_none(inbox, plain, to):
    with pytest.raises(MailRefused):
        mailer(f"smtp+plain://{plain}").send(Mail(to=to, subject="x", text="x"))
    assert inbox.taken == []


def test_a_subject_is_one_line(inbox, plain):
    with pytest.raises(MailRefused):
        mailer(f"smtp+plain://{plain}").send(Mail(to=MAIL.to, subject="x\r\nBcc: eve@evil.example", text=""))
    assert inbox.taken == []


@pytest.mark.parametrize(
    ("to", "sent_to"),
    [
        ("zoe@bücher.example", "zoe@xn--bcher-kva.example"),
        ("o'brien+x@acme.example", "o'brien+x@acme.example"),
    ],
)
def test_unusual_addresses_are_addresses_too(inbox, plain, to, sent_to):
    mailer(f"smtp+plain://{plain}").send(Mail(to=to, subject="x", text="x"))
    assert inbox.only().rcpt_tos == [sent_to]


def test_what_only_some_servers_can_deliver_is_refused_by_the_others(inbox, plain, monkeypatch):
    monkeypatch.setattr("smtplib.SMTP.has_extn", lambda *_: False)
    with pytest.raises(MailRefused):
        mailer(f"smtp+plain://{plain}").send(Mail(to="zoë@acme.example", subject="x", text="x"))


@pytest.mark.parametrize(
    ("url", "origin"),
    [("http://mail.example", ORIGIN), ("smtp://", ORIGIN), ("smtp://mail.example", "nobody"), ("", ORIGIN)],
)
def test_what_cannot_be_meant_is_refused_at_once(url, origin):
    with pytest.raises(ValueError, match=r"must be|not an e-mail"):
        SmtpMailer.at(url, origin=origin)


def test_neither_password_nor_text_is_in_its_text_form():
    assert "hunter2" not in repr(SmtpMailer.at("smtp://x:hunter2@mail.example", origin=ORIGIN))
    assert "s3cret" not in repr(MAIL)


def test_where_no_mail_can_be_sent_it_waits_and_says_why():
    with capture_logs() as logs, pytest.raises(MailDelayed):
        Nowhere("NEXUS_SMTP_URL is not set").send(MAIL)
    assert [line["reason"] for line in logs] == ["NEXUS_SMTP_URL is not set"]
