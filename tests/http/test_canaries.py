"""Nothing that a client writes into any field of any route gets into the log, or into a trace."""

import base64
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager

import httpx
import pytest

from nexus.adapters.embedded.process import free_port
from tests.http.test_schemathesis import Inhabited
from tests.support.canaries import Aviary
from tests.support.collector import collector
from tests.support.office import child_body, venue_body

KEY = base64.b64encode(bytes(range(32))).decode()


@contextmanager
def running(log, *command, **variables):
    """A command of ours, with everything that it writes in *log*."""
    stated = {f"NEXUS_{name.upper()}": text for name, text in variables.items()}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "nexus", *command], env=os.environ | stated, stdout=output, stderr=output
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


def until(condition, within=60):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def is_ready(address):
    try:
        return httpx.get(f"{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def hurt(owner):
    """A database that fails when it is to store a child or a venue, and says what it was told."""
    owner.execute(
        """
        CREATE FUNCTION refuse_loudly() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no place for %', NEW USING DETAIL = format('Key (row)=(%s)', NEW); END $$;
        CREATE TRIGGER refuse_loudly BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION refuse_loudly();
        CREATE TRIGGER refuse_loudly BEFORE INSERT ON venues FOR EACH ROW EXECUTE FUNCTION refuse_loudly();
        """
    )
    try:
        yield
    finally:
        owner.execute("DROP FUNCTION refuse_loudly CASCADE")


def poison(owner, aviary):
    """An event that no worker can read."""
    values = aviary.canary("event parent"), aviary.canary("event child")
    made = owner.execute(
        """
        INSERT INTO outbox (id, type, payload, occurred_at)
        VALUES (gen_random_uuid(), 'ConsentChanged', jsonb_build_object('parent', %s::text, 'child', %s::text), now())
        RETURNING id
        """,
        values,
    ).fetchone()
    return made[0]


def last_in_line(asked):
    """Whatever ends sign-ins comes last."""
    _, sent = asked
    return ("auth" in sent.path or sent.path.startswith("/api/v1/me")), sent.path.endswith("sign-out")


def ask_everything(address, town, aviary):
    """How every request was answered."""
    statuses = Counter()
    with httpx.Client(base_url=address, timeout=30) as client:
        for policy, sent in sorted(aviary.requests(), key=last_in_line):
            client.cookies.clear()
            token = town.tokens.get(policy, town.tokens["family"])
            answer = client.request(
                sent.method,
                sent.path,
                params=dict(sent.query),
                headers={"authorization": f"Bearer {token}", **sent.headers},
                **({"content": sent.content} if sent.json is None else {"json": sent.json}),
            )
            statuses[answer.status_code] += 1
        for path, token, body in (
            ("/children", town.tokens["family"], child_body(first_name=aviary.canary("a child's name"))),
            (
                "/admin/venues",
                town.tokens["administration"],
                venue_body(name=aviary.canary("a venue's name")),
            ),
        ):
            answer = client.post(f"/api/v1{path}", json=body, headers={"authorization": f"Bearer {token}"})
            statuses[answer.status_code] += 1
        client.get("/healthz", headers={"x-request-id": aviary.canary("a request id that is kept")})
        client.get(f"/{aviary.canary('an address that nothing is at')}")
    return statuses


@pytest.mark.parametrize("env", ["production", pytest.param("development", marks=pytest.mark.slow)])
def test_no_canary_is_in_any_line_or_span(env, office, valkey_server, tmp_path, monkeypatch):
    """
    Of web process and worker, at their most talkative, and traced.

    A request id in the agreed form is the client's own word and is kept: it proves
    that the lines are searched.
    """
    town, owner = Inhabited(office), office.owner
    aviary = Aviary(office.document.raw, town.ids)
    log, port = tmp_path / "log", free_port()
    address = f"http://127.0.0.1:{port}"
    common = {
        "database_url": office.nexus.pool.conninfo,
        "redis_url": valkey_server.redis_url,
        "secret_key": KEY,
        "env": env,
        "log_level": "debug",
        "pool_size": "4",
        "rate_limit_per_account": "0",
        "rate_limit_per_address": "0",
    }
    with collector() as (traces, taken):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", traces)
        with (
            hurt(owner),
            running(log, "serve", "--port", str(port), **common),
            running(log, "worker", **common),
        ):
            until(lambda: is_ready(address))
            poisoned = poison(owner, aviary)
            statuses = ask_everything(address, town, aviary)
            until(
                lambda: owner.execute("SELECT last_error FROM outbox WHERE id = %s", [poisoned]).fetchone()[0]
            )
    told = log.read_text(encoding="utf-8", errors="replace")
    assert aviary.escaped(told) == ["a request id that is kept"]
    assert told.count("answered") > statuses.total()
    assert {200, 201, 400, 401, 404, 422, 500} <= statuses.keys(), statuses
    assert statuses[401] < statuses.total() / 3, statuses
    assert "psycopg.errors.RaiseException P0001" in told, "of the database's errors the kind is told"
    spans = "".join(body.decode("latin-1") for _, body in taken)
    for name in ("nexus-web", "nexus-worker", "POST /api/v1/children", "AddChild", "RaiseException"):
        assert name in spans, name
    assert aviary.escaped(spans) == []
    of_things = re.sub(r"service\.instance\.id.{0,9}[0-9a-f-]{36}", "", spans, flags=re.DOTALL)
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", of_things), "nor any id but a process' own"
    [(errors,)] = owner.execute("SELECT string_agg(last_error, ' ') FROM outbox").fetchall()
    assert "ClassValidationError" in errors
    assert aviary.escaped(errors) == []


@pytest.mark.parametrize("env", ["production", "development"])
def test_a_planted_line_would_be_found(env):
    """The negative control; and what libraries, threads and Python itself say of an error is held back."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.careless", env],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = done.stdout + done.stderr
    assert "planted" in told
    assert "canary" not in told
    assert "something failed" in told
    assert told.count("ended by an error") == 2
    assert "RuntimeError" in told
    assert done.returncode == 1
