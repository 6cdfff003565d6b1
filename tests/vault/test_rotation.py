"""A rotation loses nothing, whatever happens meanwhile, and afterwards the new key opens everything alone."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from itertools import count
from threading import Event

import psycopg
import pytest
from attrs import define, evolve, field

from nexus.adapters.vault.aesgcm import AesGcmVault
from nexus.adapters.vault.keyring import KeyRing
from nexus.application.identity.children import AddChild, ChangeChild, ListChildren
from nexus.application.identity.sealing import UNREADABLE
from nexus.application.kernel.vault import SealBroken, place
from nexus.application.platform.rotate_keys import RotateKeys, Rotation
from nexus.application.platform.show_keys import SealedUnder, ShowKeys
from nexus.domain.identity.families import ChildProfile
from people import Stage

OLD, NEW, OTHER = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
BEFORE, BOTH, AFTER = KeyRing(OLD).vault, KeyRing(NEW, [OLD]).vault, KeyRing(NEW).vault
PREPARED = KeyRing(OLD, [NEW]).vault
"""A process that does not seal with the new key yet, but opens what others seal with it."""
FIRST_RELEASE = AesGcmVault(OLD)
PROFILE = ChildProfile(first_name="Mia", date_of_birth=date(2019, 5, 1))
KEYS, NOTES = "child_keys.key", "children.medical_notes"


@define
class House(Stage):
    """A family's parent, whose children's notes are sealed in each way there was."""

    owner: object = field(kw_only=True)
    parent: object = field(init=False)

    def __attrs_post_init__(self):
        self.parent = self.user(company=self.company())

    def add(self, notes):
        use = AddChild(self.begin, self.now, self.new_id, self.vault)
        return use(evolve(PROFILE, medical_notes=notes), actor=self.parent)

    def add_of_first_release(self, notes):
        """Notes were sealed by the installation's key itself, and children had none."""
        child = self.add(None)
        self.owner.execute("DELETE FROM child_keys WHERE child_id = %s", [child.id])
        if notes is not None:
            sealed = FIRST_RELEASE.seal(notes, context=place("children", "medical_notes", child.id))
            self.owner.execute("UPDATE children SET medical_notes = %s WHERE id = %s", [sealed, child.id])
        return child

    def change(self, child, notes, *, vault):
        use = ChangeChild(self.begin, self.now, self.new_id, vault, self.stands_down)
        use(
            child.id,
            actor=self.parent,
            expected_version=None,
            change=lambda profile: evolve(profile, medical_notes=notes),
        )

    def notes(self, vault):
        return [child.medical_notes for child in ListChildren(self.begin, vault)(actor=self.parent)]

    def rotate(self, *, begin=None, vault=BOTH, batch=2, **more):
        return RotateKeys(begin or self.begin, self.now, vault, batch)(**more)

    def status(self, ring):
        """Without the log, which is never emptied."""
        found = ShowKeys(self.begin, ring.vault, ring.names)()
        return {one for one in found if one.column in {KEYS, NOTES}}


@pytest.fixture
def house(begin, owner):
    return House(begin, vault=BEFORE, owner=owner)


@pytest.fixture
def family(house):
    """Seven children."""
    texts = [f"note {number} \N{PEANUTS}" for number in range(6)]
    for text in texts[:3]:
        house.add(text)
    for text in [*texts[3:], None]:
        house.add_of_first_release(text)
    return [*texts, None]


def test_afterwards_the_new_key_opens_everything_alone(house, family):
    assert house.notes(AFTER) == [*[UNREADABLE] * 6, None]
    assert house.notes(BOTH) == family
    done = house.rotate()
    assert (done.moved, done.is_complete) == ({KEYS: 3, NOTES: 3}, True)
    assert house.notes(AFTER) == family
    assert house.notes(BEFORE) == [*[UNREADABLE] * 6, None]


def test_seeds_of_second_factors_move_each_in_its_own_place(house, owner):
    user = house.parent.user
    places = [place("second_factors", column, user) for column in ("seed", "pending_seed")]
    owner.execute(
        """INSERT INTO second_factors (user_id, seed, confirmed_at, pending_seed, pending_since)
           VALUES (%s, %s, now(), %s, now())""",
        [user, *(BEFORE.seal(f"seed of {context}", context=context) for context in places)],
    )
    assert house.rotate().moved == {"second_factors.seed": 1, "second_factors.pending_seed": 1}
    [moved] = owner.execute("SELECT seed, pending_seed FROM second_factors").fetchall()
    for sealed, context in zip(moved, places, strict=True):
        assert AFTER.open(sealed, context=context) == f"seed of {context}"


def test_a_second_run_finds_nothing_to_do(house, family):
    house.rotate()
    told = []
    assert house.rotate(progress=lambda *figures: told.append(figures)).moved == {}
    assert told == [(0, 0)]


def test_progress_counts_up_to_everything(house, family):
    told = []
    house.rotate(progress=lambda *figures: told.append(figures))
    assert told == [(0, 6), (2, 6), (3, 6), (5, 6), (6, 6)]


def test_notes_of_the_first_release_get_under_the_childs_own_key_without_a_new_key_too(house, family):
    ring = KeyRing(OLD)
    assert house.rotate(vault=ring.vault).moved == {NOTES: 3}
    assert {(one.column, one.key, one.values) for one in house.status(ring)} == {
        (KEYS, "current", 6),
        (NOTES, "keys of the children", 6),
    }
    assert house.notes(BEFORE) == family


class Killed(BaseException):
    """The process is gone."""


def dying(begin, *, at, commits):
    """Units of work, of which that one is the last: it is or is not committed."""
    number = count()

    @contextmanager
    def begin_until():
        last = next(number) == at
        with begin() as work:
            yield work
            if last and not commits:
                raise Killed
        if last:
            raise Killed

    return begin_until


@pytest.mark.parametrize("commits", [True, False])
def test_killed_at_any_moment_it_goes_on_with_what_is_left(house, family, commits):
    for at in range(60):
        try:
            house.rotate(begin=dying(house.begin, at=at, commits=commits), batch=1)
        except Killed:
            assert house.notes(BOTH) == family
        else:
            break
        if at % 2:
            rotate_some = dying(house.begin, at=4, commits=True)
            with pytest.raises(Killed):
                house.rotate(begin=rotate_some, batch=1)
    else:
        pytest.fail("it never came to its end")
    house.rotate()
    assert house.notes(AFTER) == family


def test_killed_once_at_each_moment_of_a_whole_run(house, owner):
    for at in range(12):
        owner.execute("DELETE FROM child_keys; DELETE FROM children")
        house.add("asthma")
        house.add_of_first_release("peanuts")
        try:
            house.rotate(begin=dying(house.begin, at=at, commits=False), batch=1)
        except Killed:
            house.rotate()
        assert house.notes(AFTER) == ["asthma", "peanuts"]
    assert at > 8


def meddled(begin, *, at, deed):
    """Units of work, after one of which somebody else does something."""
    number = count()

    @contextmanager
    def begin_then():
        with begin() as work:
            yield work
        if next(number) == at:
            deed()

    return begin_then


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("edit", ["asthma", None])
@pytest.mark.parametrize("add_it", [House.add, House.add_of_first_release])
@pytest.mark.parametrize("elsewhere", [BOTH, PREPARED])
def test_an_edit_between_reading_and_replacing_wins(house, at, add_it, edit, elsewhere):
    """Whether or not the process where it was made seals with the new key already."""
    child, edited = add_it(house, "peanuts"), []

    def deed():
        house.change(child, edit, vault=elsewhere)
        edited.append(edit)

    assert house.rotate(begin=meddled(house.begin, at=at, deed=deed)).is_complete
    assert house.notes(BOTH) == (edited or ["peanuts"])
    assert edited or at > 4
    house.rotate()
    assert house.notes(AFTER) == (edited or ["peanuts"])


def test_edits_by_many_while_it_runs_are_never_lost(house):
    children = [house.add_of_first_release(f"{n}: 0") for n in range(4)]
    children += [house.add(f"{n}: 0") for n in range(4, 8)]
    ended = Event()

    def edit(n):
        """One process seals with the new key from the beginning, the other one never."""
        for turn in count(1):
            house.change(children[n], f"{n}: {turn}", vault=PREPARED if n % 4 else BOTH)
            if ended.is_set():
                return f"{n}: {turn}"
        return None

    with ThreadPoolExecutor(4) as editors:
        edits = {n: editors.submit(edit, n) for n in range(0, 8, 2)}
        for _ in range(10):
            house.rotate(batch=1)
        ended.set()
    house.rotate()
    assert house.notes(AFTER) == [edits[n].result() if n in edits else f"{n}: 0" for n in range(8)]


def test_a_process_that_lacks_the_key_refuses_to_seal_and_breaks_nothing(house):
    child = house.add("peanuts")
    house.rotate()
    with pytest.raises(SealBroken):
        house.change(child, "asthma", vault=BEFORE)
    assert house.notes(AFTER) == ["peanuts"]


def test_rows_that_somebody_holds_are_left_for_the_next_run_and_not_waited_for(house, family, database_url):
    with psycopg.connect(database_url) as other:
        other.execute("SELECT 1 FROM child_keys ORDER BY child_id LIMIT 1 FOR UPDATE")
        other.execute("SELECT 1 FROM children ORDER BY id DESC OFFSET 1 LIMIT 1 FOR UPDATE")
        done = house.rotate()
        assert (done.busy, done.moved, done.is_complete) == (2, {KEYS: 2, NOTES: 2}, False)
    assert house.rotate().is_complete
    assert house.notes(AFTER) == family


def test_what_no_key_opens_is_counted_and_stays_as_it_is(house, family, owner):
    owner.execute(
        "UPDATE child_keys SET key = set_byte(key, 30, get_byte(key, 30) # 1) "
        " WHERE child_id = (SELECT min(child_id::text)::uuid FROM child_keys)"
    )
    before = owner.execute("SELECT key FROM child_keys ORDER BY child_id LIMIT 1").fetchone()
    done = house.rotate(batch=1)
    assert (done.moved[KEYS], done.unreadable, done.busy) == (2, 1, 0)
    assert owner.execute("SELECT key FROM child_keys ORDER BY child_id LIMIT 1").fetchone() == before


def test_a_destroyed_key_is_not_brought_back(house, family, owner):
    owner.execute("UPDATE child_keys SET key = NULL, destroyed_at = now()")
    assert house.rotate().moved == {NOTES: 3}
    assert house.notes(BOTH) == [*[UNREADABLE] * 3, *family[3:]]
    late = house.add_of_first_release("peanuts")
    owner.execute(
        "INSERT INTO child_keys (child_id, parent_id, created_at, destroyed_at) VALUES (%s, %s, now(), now())",
        [late.id, house.parent.user],
    )
    done = house.rotate()
    assert (done.moved, done.unreadable) == ({}, 1)


def test_the_status_counts_exactly(house, family):
    ring, old_id, own = KeyRing(NEW, [OLD]), BEFORE.mark[1:].hex(), "keys of the children"
    direct = FIRST_RELEASE.mark[1:].hex()
    assert house.status(ring) == {
        SealedUnder(KEYS, "former 1", old_id, 3),
        SealedUnder(NOTES, "former 1, underived", direct, 3),
        SealedUnder(NOTES, own, "", 3),
    }
    house.rotate()
    assert house.status(ring) == {
        SealedUnder(KEYS, "current", BOTH.mark[1:].hex(), 6),
        SealedUnder(NOTES, own, "", 6),
    }
    stranger = KeyRing(OTHER)
    assert {(one.key, one.values) for one in house.status(stranger)} == {("unknown", 6), (own, 6)}


def test_an_interrupted_run_has_told_how_far_it_came(house, family):
    done = Rotation()
    with pytest.raises(KeyboardInterrupt):
        house.rotate(rotation=done, progress=_interrupt_after(3))
    assert done.moved == {KEYS: 3}


def _interrupt_after(values):
    def progress(moved, total):
        if moved >= values:
            raise KeyboardInterrupt

    return progress
