"""The keys of an installation, from the terminal."""

import base64
import signal
import subprocess
import sys
from datetime import date

import psycopg
import pytest
from attrs import define, evolve

from cli.processes import environment, eventually
from nexus.adapters.vault.aesgcm import AesGcmVault
from nexus.adapters.vault.keyring import KeyRing
from nexus.application.identity.children import AddChild, ListChildren
from nexus.application.kernel.vault import place
from nexus.domain.identity.families import ChildProfile
from people import Stage

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
OLD_TEXT, NEW_TEXT = (base64.b64encode(key).decode() for key in (OLD, NEW))
PROFILE = ChildProfile(first_name="Mia", date_of_birth=date(2019, 5, 1), medical_notes="peanuts")


@define
class Family:
    """A parent, and children whose notes are sealed."""

    stage: Stage
    parent: object

    def add(self, many):
        stage = self.stage
        for _ in range(many):
            AddChild(stage.begin, stage.now, stage.new_id, stage.vault)(PROFILE, actor=self.parent)

    def readable(self, key):
        found = ListChildren(self.stage.begin, KeyRing(key).vault)(actor=self.parent)
        return sum(not child.medical_notes_unreadable for child in found)


@pytest.fixture
def family(begin):
    stage = Stage(begin, vault=KeyRing(OLD).vault)
    return Family(stage, stage.user(company=stage.company()))


def test_a_new_key_is_one_that_settings_take(run):
    one, other = (run("keys", "new").output.strip() for _ in range(2))
    assert one != other
    assert run("settings", "--json", secret_key=one).status == 0


def test_a_key_is_changed_as_the_guide_says(family, on_database):
    family.add(3)
    keys = {"secret_key": NEW_TEXT, "former_keys": OLD_TEXT}
    before = on_database("keys", "status", **keys)
    assert (before.status, "former 1" in before.output, "no more" in before.output) == (0, True, False)
    assert on_database("keys", "status", "--json", **keys).json["unused"] == []
    rotated = on_database("keys", "rotate", "--json", **keys)
    assert (rotated.status, rotated.json) == (
        0,
        {
            "moved": {"child_keys.key": 3},
            "busy": 0,
            "unreadable": 0,
            "interrupted": False,
        },
    )
    assert on_database("keys", "status", "--json", **keys).json["unused"] == ["former 1"]
    assert "Seals nothing any more: former 1." in on_database("keys", "status", **keys).output
    assert on_database("keys", "status", secret_key=NEW_TEXT).status == 0
    assert family.readable(NEW) == 3


def test_a_forgotten_former_key_is_noticed_and_harms_nothing(family, on_database):
    family.add(2)
    noticed = on_database("keys", "status", secret_key=NEW_TEXT)
    assert (noticed.status, "unknown" in noticed.output) == (1, True)
    refused = on_database("keys", "rotate", secret_key=NEW_TEXT)
    assert (refused.status, "2 open with no key" in refused.output) == (1, True)
    assert family.readable(OLD) == 2


def test_with_nothing_sealed_there_is_nothing_to_do(begin, on_database):
    rotated = on_database("keys", "rotate")
    assert (rotated.status, rotated.output) == (0, "Nothing moved.\n")


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_stopped_in_the_middle_it_goes_on_with_the_rest(family, on_database, database_url, how, status):
    """A table that somebody holds keeps the run waiting between its two columns."""
    family.add(2)
    direct = AesGcmVault(OLD)
    with family.stage.begin() as work:
        for child in work.children.of(family.parent.user):
            sealed = direct.seal("asthma", context=place("children", "medical_notes", child.id))
            work.children.save(evolve(child, medical_notes=sealed))
    keys = {"secret_key": NEW_TEXT, "former_keys": OLD_TEXT}
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE children IN EXCLUSIVE MODE")
        run = subprocess.Popen(
            [sys.executable, "-m", "nexus", "keys", "rotate"],
            env=environment(database_url=database_url, env="production", **keys),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        waits = "SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND relation = 'children'::regclass"
        assert eventually(lambda: other.execute(waits).fetchone() == (True,))
        run.send_signal(how)
        said, _ = run.communicate(timeout=30)
    assert run.returncode == status
    assert ("child_keys.key: 2 moved" in said and "run it again" in said) == (how is signal.SIGINT)
    rest = on_database("keys", "rotate", "--json", **keys)
    assert rest.json["moved"] == {"children.medical_notes": 2}
    assert family.readable(NEW) == 2
