"""What the client asks, of real servers, and what it refuses to ask."""

import errno
import gzip
import socket
import ssl
import threading
import time
from datetime import timedelta

import pytest

from nexus.adapters.outgoing import Destination, ForbiddenDestination, NoAnswer, OutgoingClient, UnusableUrl
from outgoing.servers import Authority, serving

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def client(port, *, scheme="http", resolve=lambda _host, _port: ["127.0.0.1"], **more):
    """A client to which this machine is a place like any other."""
    more = {"admits": lambda _address: True, "tls": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)} | more
    return OutgoingClient(origins=frozenset({(scheme, port)}), resolve=resolve, **more)


def read(asking, url, **more):
    with asking.ask("GET", url, **more) as answer:
        return answer.status, answer.read()


@pytest.fixture(scope="module")
def authority():
    return Authority()


def test_a_request_arrives_as_it_was_meant():
    with (
        serving(FINE) as heard,
        client(heard.port).ask(
            "POST",
            f"http://hook.example:{heard.port}/in?a=1#not-sent",
            headers={"content-type": "application/json"},
            content=b"{}",
        ) as answer,
    ):
        assert (answer.status, answer.read()) == (200, b"hello")
        assert dict(answer.headers)["content-length"] == "5"
    [head] = heard.requests
    assert head.startswith(b"POST /in?a=1 HTTP/1.1\r\n")
    assert f"host: hook.example:{heard.port}".encode() in head.lower()
    assert b"accept-encoding: identity" in head.lower()


@pytest.mark.parametrize("proxy", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxies_of_the_environment_are_not_asked(monkeypatch, proxy):
    with serving(FINE) as heard, serving(FINE) as other:
        monkeypatch.setenv(proxy, f"http://127.0.0.1:{other.port}")
        assert read(client(heard.port), f"http://hook.example:{heard.port}/")[0] == 200
    assert not other.requests


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "hook.example"])
def test_this_machine_is_not_asked(name):
    with serving(FINE) as heard:
        guarded = OutgoingClient(
            origins=frozenset({("http", heard.port)}), resolve=lambda _host, _port: ["127.0.0.1"]
        )
        with pytest.raises(ForbiddenDestination):
            read(guarded, f"http://{name}:{heard.port}/")
        assert not heard.requests
        # Without the guard, the same request gets there: it is the guard that refuses.
        assert read(client(heard.port), f"http://{name}:{heard.port}/")[1] == b"hello"


def test_the_machines_own_resolver_is_asked_and_judged():
    with serving(FINE) as heard:
        guarded = OutgoingClient(origins=frozenset({("http", heard.port)}))
        with pytest.raises(ForbiddenDestination):
            read(guarded, f"http://localhost:{heard.port}/")
    assert not heard.requests


def test_one_bad_address_among_good_ones_is_enough():
    mixed = OutgoingClient(resolve=lambda _host, _port: ["93.184.215.14", "10.0.0.1"])
    with pytest.raises(ForbiddenDestination):
        read(mixed, "https://hook.example/")


def test_a_name_that_changes_its_mind_is_asked_once_and_connected_to_as_it_was_checked():
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    asked = []

    def resolve(host, _port):
        asked.append(host)
        return answers[len(asked) - 1]

    judged = []
    with serving(FINE) as heard:
        changing = client(
            heard.port, resolve=resolve, admits=lambda address: judged.append(str(address)) or True
        )
        assert read(changing, f"http://rebinding.example:{heard.port}/")[1] == b"hello"
    assert (asked, judged) == (["rebinding.example"], ["127.0.0.1"])


def test_the_next_address_is_tried_when_one_does_not_answer():
    with socket.create_server(("127.0.0.2", 0)) as gone:
        port = gone.getsockname()[1]
    with serving(FINE) as heard:
        trying = client(heard.port, resolve=lambda _host, _port: ["127.0.0.2", "127.0.0.1"])
        assert read(trying, f"http://hook.example:{heard.port}/")[0] == 200
    with pytest.raises(NoAnswer, match="refused"):
        read(client(port), f"http://hook.example:{port}/")


@pytest.mark.parametrize(
    "url", ["http://hook.example/", "https://hook.example:8443/", "http://hook.example:443/"]
)
def test_only_https_on_its_own_port_unless_allowed(url):
    never = OutgoingClient(resolve=lambda _host, _port: pytest.fail("looked up"))
    with pytest.raises(ForbiddenDestination):
        read(never, url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused(status):
    with serving(FINE) as other:
        away = f"HTTP/1.1 {status} Away\r\nLocation: http://127.0.0.1:{other.port}/\r\n\r\n".encode()
        with serving(away) as heard, pytest.raises(NoAnswer, match="redirect"):
            read(client(heard.port), f"http://hook.example:{heard.port}/")
    assert not other.requests


@pytest.mark.parametrize("length", [b"Content-Length: 2000000\r\n", b""])
def test_a_long_body_is_cut(length):
    long = b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + bytes(2_000_000)
    with serving(long) as heard, pytest.raises(NoAnswer, match="longer"):
        read(client(heard.port), f"http://hook.example:{heard.port}/")


def test_a_body_of_just_the_allowed_length_is_read():
    with serving(FINE) as heard:
        assert read(client(heard.port, most_bytes=5), f"http://hook.example:{heard.port}/")[1] == b"hello"
        with pytest.raises(NoAnswer):
            read(client(heard.port, most_bytes=4), f"http://hook.example:{heard.port}/")


def test_long_headers_are_cut():
    with serving(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000) as heard, pytest.raises(NoAnswer):
        read(client(heard.port), f"http://hook.example:{heard.port}/")


def test_nothing_is_decompressed():
    packed = gzip.compress(bytes(10_000_000))
    bomb = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with serving(bomb + packed) as heard, pytest.raises(NoAnswer, match="compressed"):
        read(client(heard.port), f"http://hook.example:{heard.port}/")


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_trickle_does_not_last_longer_than_allowed(start):
    stop = threading.Event()

    def trickle(stream):
        stream.sendall(start)
        while not stop.wait(0.05):
            stream.sendall(b"x")

    with serving(trickle) as heard:
        slow = client(heard.port, answer_within=timedelta(seconds=0.3))
        began = time.monotonic()
        with pytest.raises(NoAnswer, match="too long"):
            read(slow, f"http://hook.example:{heard.port}/")
        stop.set()
    assert time.monotonic() - began < 3


def test_a_resolver_that_hangs_is_not_waited_for():
    done = threading.Event()
    hanging = OutgoingClient(
        resolve=lambda _host, _port: done.wait(10) or [], connect_within=timedelta(seconds=0.1)
    )
    with pytest.raises(NoAnswer, match="looked up"):
        read(hanging, "https://hook.example/")
    done.set()


def test_a_server_that_breaks_off_gave_no_answer():
    with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe") as heard, pytest.raises(NoAnswer):
        read(client(heard.port), f"http://hook.example:{heard.port}/")


@pytest.mark.parametrize(
    "own",
    [OSError(errno.ENOSPC, "No space left on device"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")],
)
def test_what_goes_wrong_with_whoever_asks_is_not_blamed_on_the_host(own):
    def ask_and_fail(port):
        with client(port).ask("GET", f"http://hook.example:{port}/") as answer:
            answer.read()
            raise own

    with serving(FINE) as heard, pytest.raises(type(own)) as seen:
        ask_and_fail(heard.port)
    assert seen.value is own


def test_an_unknown_name_gives_no_answer():
    def resolve(_host, _port):
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(NoAnswer, match="not found"):
        read(OutgoingClient(resolve=resolve), "https://hook.example/")
    with pytest.raises(NoAnswer, match="no address"):
        read(OutgoingClient(resolve=lambda _host, _port: []), "https://hook.example/")


def test_tls_is_verified_against_the_name_and_says_it(authority, tmp_path):
    tls = authority.serving(tmp_path, "hook.example")
    with serving(FINE, tls=tls) as heard:
        trusting = client(heard.port, scheme="https", tls=authority.trusting())
        assert read(trusting, f"https://hook.example:{heard.port}/")[1] == b"hello"
        assert read(trusting, f"https://HOOK。example.:{heard.port}/")[1] == b"hello"
        assert heard.names == ["hook.example"] * 2
        with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
            read(trusting, f"https://other.example:{heard.port}/")
        with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
            read(trusting, f"https://127.0.0.1:{heard.port}/")
        stranger = client(heard.port, scheme="https", tls=Authority().trusting())
        with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
            read(stranger, f"https://hook.example:{heard.port}/")
    assert len(heard.requests) == 2


def test_the_machines_trust_is_what_counts_by_default():
    trusted = OutgoingClient().tls
    assert (trusted.verify_mode, trusted.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_an_ipv6_address_is_asked_and_verified_as_one(authority, tmp_path):
    tls = authority.serving(tmp_path, "::1")
    with serving(FINE, tls=tls, family=socket.AF_INET6) as heard:
        trusting = client(heard.port, scheme="https", tls=authority.trusting())
        assert read(trusting, f"https://[::1]:{heard.port}/")[1] == b"hello"
    assert f"host: [::1]:{heard.port}".encode() in heard.requests[0].lower()


def test_headers_cannot_be_split():
    with serving(FINE) as heard, pytest.raises(NoAnswer):
        read(client(heard.port), f"http://hook.example:{heard.port}/", headers={"x": "a\r\nHost: b"})
    assert not heard.requests or heard.requests == [b""]


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@hook.example/",
        "https://user@hook.example/",
        "https://hook.example@127.0.0.1/",
        "https://127.0.0.1#@hook.example/".replace("#@", "@"),
        "https://hook.example\\@127.0.0.1/",
        "https://127.0.0.1\\.hook.example/",
        "https://hook.example%00.evil/",
        "https://hook%2eexample/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1",
        "https://::1/",
        "https://[127.0.0.1]/",
        "https://hook.example:/",
        "https://hook.example:0/",
        "https://hook.example:65536/",
        "https://hook.example:４４３/",
        "https://hook.example:443:80/",
        "https:hook.example/",
        "https:///hook.example/",
        "https:////hook.example/",
        "//hook.example/",
        "hook.example",
        "ftp://hook.example/",
        "file:///etc/passwd",
        "gopher://hook.example/",
        " https://hook.example/",
        "https://hook.example/ ",
        "https://hook.example/a b",
        "https://hook.example/\r\nHost: evil",
        "https://hook\t.example/",
        "https://hook.example/ä",
        "https://hook..example/",
        "https://.hook.example/",
        "https://-hook.example/",
        "https://hook_.example/",
        "https://hook.example..//",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0X7F.1/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://127.0.0.01/",
        "https://127.0.0.0x1/",
        "https://0/",
        "https://0x/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://hook.example.1/",
        "https://①②⑦.1/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 130 + "example/",
        "https://hook.example/" + "a" * 2048,
        "",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(url):
    with pytest.raises(UnusableUrl):
        Destination.of(url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://faß.example/", "xn--fa-hia.example"),
        ("HTTPS://HOOK.Example./", "hook.example"),
        ("https://hook。example/", "hook.example"),
        ("https://ｈｏｏｋ．example", "hook.example"),
        ("https://127。0。0。1/", "127.0.0.1"),
        ("https://①②⑦.0.0.1/", "127.0.0.1"),
        ("https://127.0.0.1./", "127.0.0.1"),
        ("https://[::FFFF:7F00:1]/", "::ffff:7f00:1"),
        ("https://8.8.8.8?x", "8.8.8.8"),
    ],
)
def test_what_is_meant_is_understood(url, host):
    assert str(Destination.of(url).host) == host
