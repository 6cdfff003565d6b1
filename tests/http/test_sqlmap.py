"""The script that lets sqlmap loose notices an injection where there is one."""

import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "sqlmap.sh"


def careless(database_url: str) -> type[BaseHTTPRequestHandler]:
    """Answers like the product, but writes the search text into its SQL."""

    class Careless(BaseHTTPRequestHandler):
        def do_POST(self):
            self._answer({"token": "t"})

        def do_GET(self):
            text = parse_qs(urlsplit(self.path).query).get("q", [""])[0]
            with psycopg.connect(database_url) as connection:
                try:
                    found = connection.execute(f"SELECT 1 WHERE 'clay' = '{text}'").fetchall()
                except psycopg.Error:
                    found = []
            self._answer({"items": [{"name": "Clay", "place": "The Barn"}] * len(found)})

        def _answer(self, said):
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Careless


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sqlmap") is None, reason="sqlmap is not installed")
def test_sqlmap_finds_what_is_planted(database_url):
    with ThreadingHTTPServer(("127.0.0.1", 0), careless(database_url)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = subprocess.run(
            ["sh", str(SCRIPT), f"http://127.0.0.1:{server.server_port}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        server.shutdown()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "injectable" in done.stderr


def test_without_sqlmap_the_script_says_so_and_succeeds(tmp_path):
    shell = shutil.which("sh")
    done = subprocess.run(
        [shell, str(SCRIPT)], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "skipped" in done.stderr
