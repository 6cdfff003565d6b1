"""The served product against its own OpenAPI document, by a tool that nobody here wrote."""

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.market import schedule_body, session_body, stall
from tests.support.office import Office

KEY = base64.b64encode(bytes(range(32))).decode()
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "4")
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")

# What a valid body asks for may still break a rule (422), and a cursor or an address may lead nowhere:
# that is in the document as an answer, not in the schema of the question.
LEFT_OUT = "positive_data_acceptance"

# What is too long for an address is refused as that, before anybody looks what it says.
REFUSED = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 414, 415, 422, 428, 429, "5xx"]
"""


@pytest.fixture(scope="module")
def server(database_url: str) -> Iterator[str]:
    """The address of the product as operators start it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    stated = {
        "NEXUS_DATABASE_URL": database_url,
        "NEXUS_SECRET_KEY": KEY,
        "NEXUS_ENV": "development",
        "NEXUS_POOL_SIZE": "4",
        # It asks as fast as it can.
        "NEXUS_RATE_LIMIT_PER_ACCOUNT": "0",
        "NEXUS_RATE_LIMIT_PER_ADDRESS": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "nexus", "serve", "--port", port],
        env=os.environ | stated,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if httpx.get(f"{address}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.1)


class Inhabited:
    """A platform on which something happens today, with a token for each role and ids that lead somewhere."""

    def __init__(self, office: Office) -> None:
        # The served product reads the machine's clock: so does whoever prepares it.
        office.clock.at = datetime.now(UTC)
        soon, later = (f"{(office.clock.at + timedelta(days=n)).date()}" for n in (7, 300))
        office.admin = office.token("root@nexus.example")
        barn = stall(office, insured_until=later)
        company = office.company()
        parent = office.joins(company, "ada@acme.example")
        child = office.child(parent)
        activity = barn.offers()
        session = barn.plans(activity, session_date=soon)
        full = office.made(barn.token, "/venue/sessions", session_body(activity, session_date=soon))["id"]
        schedule = office.made(barn.token, "/venue/schedules", schedule_body(activity, effective_from=soon))[
            "schedule"
        ]["id"]
        booking = office.made(parent, "/bookings", {"session_id": session, "child_ids": [child]})
        self.tokens = {
            "family": parent,
            "venue": barn.token,
            "HR": office.joins(company, "hr@acme.example", role="hr_admin"),
            "administration": office.admin,
        }
        self.ids = {
            "activity_id": activity,
            "session_id": full,
            "schedule_id": schedule,
            "booking_id": booking["bookings"][0]["id"],
            "child_id": child,
            "venue_id": barn.id,
        }


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["family", "venue", "HR", "administration", "signed in", "public"])
def test_every_answer_is_in_the_document(office: Office, server: str, tmp_path: Path, policy: str):
    town = Inhabited(office)
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        "[parameters]\n" + "".join(f'"path.{name}" = "{id_}"\n' for name, id_ in town.ids.items()) + REFUSED
    )
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(REFUSED)
    token = town.tokens.get(policy, town.tokens["family"])
    # Ids that lead somewhere are worth every phase; for those that lead nowhere a few guesses will do.
    for stated, phases in (
        (["--config-file", str(config)], "examples,coverage,fuzzing"),
        (["--config-file", str(elsewhere)], "fuzzing"),
    ):
        found = _run(server, policy, token, phases, stated)
        assert found.returncode == 0, found.stdout + found.stderr


def _run(
    server: str, policy: str, token: str, phases: str, stated: list[str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(SCHEMATHESIS),
            "--no-color",
            *stated,
            "run",
            f"{server}/schema/openapi.json",
            f"--include-by=/x-policy == {policy}",
            # Who signs out could ask for nothing more.
            "--exclude-path=/api/v1/auth/sign-out",
            f"--header=Authorization: Bearer {token}",
            f"--phases={phases}",
            f"--max-examples={EXAMPLES}",
            "--checks=all",
            f"--exclude-checks={LEFT_OUT}",
            "--generation-deterministic",
            "--suppress-health-check=all",
            "--continue-on-failure",
            "--warnings=off",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
