"""The toy as the real server serves it: `python -m http_edge.served PORT`."""

import sys
from time import sleep

from litestar import Litestar, get, post
from litestar.params import JSONBody

from http_edge.toy import Change, toy
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.server import http_server


@post("/slow", sync_to_thread=True, opt=allow(Policy.PUBLIC))
def slow() -> None:
    """Takes its time."""
    sleep(3)


@post("/small", sync_to_thread=True, opt=allow(Policy.PUBLIC), request_max_body_size=1000)
def small(data: JSONBody[Change]) -> None:
    """Takes little."""


@get("/fast", sync_to_thread=False, opt=allow(Policy.PUBLIC))
def fast() -> str:
    """Says something."""
    return "fast"


def create() -> Litestar:
    """What the server loads."""
    return toy(slow, small, fast, body_within=1.0, answer_within=2.0)


if __name__ == "__main__":
    http_server("http_edge.served:create", host="127.0.0.1", port=int(sys.argv[1])).serve()
