"""The how-to about API keys, executed, and its tables held to the code."""

import re
from pathlib import Path

import pytest
from litestar.testing import TestClient

from journeys.test_tutorial import BLOCK, Story
from nexus.application.platform.scopes import SCOPES
from nexus.domain.identity.people import Role
from nexus.domain.kernel.networks import network
from nexus.domain.platform.api_keys import (
    LONGEST_LIFE,
    MOST_NETWORKS,
    MOST_PER_DAY,
    MOST_PER_MINUTE,
    PER_DAY,
    PER_MINUTE,
    USUAL_LIFE,
    KeyText,
)
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import Nexus
from tests.support.front import Setting
from tests.support.office import Office, venue_body
from tests.support.town import NOON
from tests.support.truth import Document

PAGE = (Path(__file__).parents[2] / "docs/howto/use-api-keys.md").read_text(encoding="utf-8")
MAKERS = {Role.HR_ADMIN: "HR", Role.VENUE_ADMIN: "venue", Role.PLATFORM_ADMIN: "platform"}


@pytest.fixture
def story(begin, pool, owner):
    """A venue, whose head reads the page behind a proxy that adds the address."""
    clock = Setting(NOON)
    nexus = Nexus(pool, now=clock, secret_key=bytes(range(32)))
    settings = Settings(pool_size=4, trusted_proxies=(network("10.0.0.1"),))
    app = build(nexus, settings)
    inner = app.asgi_handler

    async def behind(scope, receive, send):
        scope["client"] = ("10.0.0.1", 40_000)
        await inner(scope, receive, send)

    app.asgi_handler = behind
    with TestClient(app, raise_server_exceptions=False) as client:
        office = Office(client, nexus, clock, owner, Document(client.get("/schema/openapi.json").json()))
        venue = office.made(office.admin, "/admin/venues", venue_body())["id"]
        head = office.joins(None, "val@barn.example", role="venue_admin", venue_id=venue)
        yield Story(client, nexus, clock, owner, known={"SIGN_IN": head})


def test_every_request_of_the_page_is_answered_as_shown(story):
    blocks = BLOCK.findall(PAGE)
    assert len(blocks) == 16
    for _, block in blocks:
        (story.compare if block.startswith("HTTP/") else story.ask)(block)


def test_every_scope_is_in_the_table_with_its_makers():
    stated = re.findall(r"^\| `(\w+:\w+)` \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    known = {}
    for role, maker in MAKERS.items():
        for scope, meaning in SCOPES[role].items():
            known.setdefault((scope, meaning), []).append(maker)
    assert sorted(stated) == sorted(
        (scope, meaning, ", ".join(who)) for (scope, meaning), who in known.items()
    )


def test_the_limits_are_those_of_the_code():
    assert (USUAL_LIFE.days, LONGEST_LIFE.days, MOST_NETWORKS) == (90, 366, 50)
    for line in (
        f"| `rate_limit_per_minute` | {PER_MINUTE:,} | {MOST_PER_MINUTE:,} |",
        f"| `rate_limit_per_day` | {PER_DAY:,} | {MOST_PER_DAY:,} |",
    ):
        assert line in PAGE


def test_the_pattern_for_scanners_finds_keys():
    [pattern] = re.findall(r"^    (nxk_\S+)$", PAGE, re.MULTILINE)
    assert re.fullmatch(pattern, KeyText("abcd1234", "aB3" * 14 + "z").text)
