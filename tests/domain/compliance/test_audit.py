"""What may be recorded, and that every action is recorded somewhere."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from attrs import frozen

from nexus.domain.compliance.audit import (
    NEVER,
    PERSONAL,
    Action,
    Category,
    Deed,
    Severity,
    Unrecordable,
    changes,
    differences,
    must_be_recordable,
    plain,
)
from nexus.domain.kernel.money import Money

ROOT = Path(__file__).parents[3]
SOURCES = [
    path
    for path in (ROOT / "src" / "nexus").rglob("*.py")
    if path.name != "audit.py" or "domain" not in path.parts
]


@frozen
class Thing:
    name: str
    email: str
    version: int = 1


def test_names_tell_the_category_and_are_never_shared():
    assert len({action.label for action in Action}) == len(Action)
    for action in Action:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", action.label)
        assert action.category in Category
        assert Action.labelled(action.label) is action


@pytest.fixture(scope="module")
def said():
    """How often each action is named in the sources outside the list itself."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    return {action: len(re.findall(rf"\bAction\.{action.name}\b", text)) for action in Action}


@pytest.mark.parametrize("action", Action, ids=lambda action: action.label)
def test_every_action_is_recorded_somewhere(said, action):
    assert said[action], "nothing records it"


def test_every_action_is_in_the_reference():
    page = (ROOT / "docs" / "reference" / "audit-actions.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_.]+)` \| ([a-z_]+) \| ([a-z]+) \|$", page, re.MULTILINE)
    assert rows == [(action.label, action.entity.value, action.severity.value) for action in Action]


def test_what_weakens_protection_matters_more():
    for action in (Action.SIGN_IN_FAILED, Action.ACCESS_REFUSED, Action.CREDITS_ADJUSTED):
        assert action.severity is not Severity.INFO


@pytest.mark.parametrize(
    "name", ["password", "new_password", "token_hash", "totp_seed", "recovery_codes", *NEVER]
)
def test_secrets_are_recorded_nowhere(name):
    with pytest.raises(Unrecordable):
        must_be_recordable({name: "x"})
    with pytest.raises(Unrecordable):
        Deed(Action.SIGNED_IN, new={name: "x"})


@pytest.mark.parametrize("name", sorted(PERSONAL))
def test_what_tells_of_a_person_is_never_in_clear(name):
    must_be_recordable({name: "x"})
    for side in ("old", "new"):
        with pytest.raises(Unrecordable):
            Deed(Action.CHILD_CHANGED, **{side: {name: "x"}})


def test_values_become_json():
    when = datetime(2026, 3, 2, 12, tzinfo=UTC)
    values = {
        "id": UUID(int=7),
        "at": when,
        "on": date(2026, 3, 2),
        "for": timedelta(minutes=2),
        "which": {Category.AUTH, Category.AUDIT},
        "what": Money(500),
        "more": [(1, None), {"a": True}],
    }
    assert plain(values) == {
        "id": "00000000-0000-0000-0000-000000000007",
        "at": "2026-03-02T12:00:00+00:00",
        "on": "2026-03-02",
        "for": 120.0,
        "which": ["audit", "auth"],
        "what": {"minor": 500, "currency": "USD"},
        "more": [[1, None], {"a": True}],
    }
    assert plain(None) is None
    with pytest.raises(Unrecordable):
        plain({"what": object()})


def test_only_what_changed_is_told_and_persons_only_by_name():
    before, after = Thing("a", "a@example.com"), Thing("b", "b@example.com", 2)
    assert changes(before, after) == (
        {"name": "a", "email": "a@example.com"},
        {"name": "b", "email": "b@example.com"},
    )
    assert differences(before, after) == ({"name": "a"}, {"name": "b", "also_changed": ["email"]})
    assert differences(before, before) == ({}, {})
