"""Logs as a process of ours does, things that it should not be told: `python -m tests.support.careless ENV`."""

import logging
import sys
import threading

import structlog
from litestar import Request, post
from litestar.testing import TestClient

from http_edge.toy import toy
from nexus.entrypoints import logs
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.settings import Settings


@post("/careless", opt=allow(Policy.PUBLIC))
async def careless(request: Request) -> None:
    """Logs what it is sent: the negative control."""
    structlog.get_logger("careless").info("got", body=(await request.body()).decode())


def main(env: str) -> None:
    logs.configure(Settings.of({"NEXUS_ENV": env}))
    with TestClient(toy(careless), raise_server_exceptions=False) as client:
        client.post("/careless", json={"email": "planted"})
        client.post("/echo", json={"email": "canary-in-a-body"})
        client.get("/broken/x", headers={"user-agent": "canary-in-a-header"})
    try:
        int("canary-in-a-message")
    except ValueError as error:
        error.add_note("canary-in-a-note")
        logging.getLogger("library").exception("something failed\n%s", "canary-in-more-lines")
    thread = threading.Thread(target=int, args=["canary-in-a-thread"])
    thread.start()
    thread.join()
    int("canary-at-the-end")


if __name__ == "__main__":
    main(sys.argv[1])
