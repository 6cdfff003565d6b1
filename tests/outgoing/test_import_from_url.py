"""`nexus import catalogue` takes a URL, and asks it through the guarded client."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from nexus.adapters.outgoing import NoAnswer, OutgoingClient
from nexus.entrypoints.cli import main
from nexus.entrypoints.installation import local_copy, outgoing
from nexus.entrypoints.settings import SettingError, Settings
from outgoing.servers import serving

ROWS = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nid,name\n"


def near(port, **more):
    return OutgoingClient(origins=frozenset({("http", port)}), admits=lambda _address: True, **more)


def test_what_a_url_gives_is_there_while_it_is_needed(tmp_path):
    with serving(ROWS) as heard:
        with local_copy(f"http://localhost:{heard.port}/rows.csv", near(heard.port)) as path:
            assert path.read_bytes() == b"id,name\n"
        assert not path.exists()
    ours = tmp_path / "rows.csv"
    with local_copy(ours, near(1)) as path:
        assert path is ours


def test_an_error_page_is_not_a_catalogue():
    with serving(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") as heard:
        asking = local_copy(f"http://localhost:{heard.port}/rows.csv", near(heard.port))
        with pytest.raises(NoAnswer, match="404"), asking:
            pass


@pytest.mark.parametrize("url", ["https://127.0.0.1/rows.csv", "http://data.example.org/rows.csv"])
def test_the_command_refuses_what_must_not_be_asked(url):
    done = CliRunner().invoke(main, ["import", "catalogue", url, "--profile", "chicago"])
    assert done.exit_code == 1
    assert "Nothing is sent there" in done.output
    assert "Traceback" not in done.output


def test_the_command_still_wants_files_that_exist():
    done = CliRunner().invoke(main, ["import", "catalogue", "no-such.csv", "--profile", "chicago"])
    assert done.exit_code == 2


def test_schemes_and_ports_are_a_setting():
    stated = Settings.of({"NEXUS_OUTGOING": "https:443, http:8080"})
    client = outgoing(stated, within=timedelta(1), most_bytes=1)
    assert client.origins == {("https", 443), ("http", 8080)}
    assert Settings.of({}).outgoing == {("https", 443)}


@pytest.mark.parametrize("text", ["443", "ftp:21", "https:", "https:x", "https:70000"])
def test_a_setting_that_cannot_be_meant_is_refused(text):
    with pytest.raises(SettingError, match="NEXUS_OUTGOING"):
        Settings.of({"NEXUS_OUTGOING": text})
