"""A short run of the simulation, some planted bugs, and the same steps on PostgreSQL."""

import gc
from time import process_time

import psycopg
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from nexus.adapters.memory.begin import MemoryBegin
from nexus.adapters.memory.tables import ABSENT, Index, Table, updated
from nexus.adapters.memory.world import World
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.invariants import verify
from nexus.adapters.vault.aesgcm import AesGcmVault
from nexus.domain.kernel.ids import BookingId, ChildId, EntryId, SessionId
from tests.sim import judge as judge_module
from tests.sim import judge_of_ledgers, judge_of_news
from tests.sim import life as life_module
from tests.sim.books import Broken
from tests.sim.bugs import BUGS
from tests.sim.fate import Fate
from tests.sim.habits import Habits
from tests.sim.hands import BACKGROUND, Hands
from tests.sim.life import Life, live_a_year, relive, undisturbed
from tests.sim.recount import recount
from tests.sim.shrink import shrunk, smallest
from tests.sim.steps import HOUR, in_words
from tests.sim.units import mortal
from tests.sim.village import COMPANIES, in_the_database, numbered
from tests.support.memory_town import MemoryTown

SOME_BUGS = (
    "a seat too many is sold on a stale read",
    "an offer is not held",
    "last come, first served",
    "a late sweeper lets an expired offer be accepted",
    "a refund goes to the period that paid, though it is over",
    "a forfeit charges again",
    "a handled event is handled again",
    "withdrawn consent keeps the waiting",
    "no versions are compared",
)

RECOUNTED_BUGS = (
    "a seat too many is sold on a stale read",
    "the unique index is forgotten",
    "the ledger skips a number",
    "the waiting are miscounted",
    "a pending booking holds no seat",
)


def test_every_promise_holds_for_a_while():
    """make sim runs for longer; the seeds of every run are the same."""
    until, steps = process_time() + 2, 0
    for seed in range(1000):
        life, failure = live_a_year(seed, until=until)
        assert failure is None, failure
        steps += life.steps
        if process_time() > until:
            break
    assert steps > 1000


def test_a_sweeper_that_is_in_time_leaves_nothing_waiting():
    _, failure = live_a_year(7, most=1500, habits=Habits(punctual=True))
    assert failure is None, failure


def test_the_same_seed_lives_the_same_year():
    one, _ = live_a_year(11, most=800)
    other, _ = live_a_year(11, most=800)
    assert one.outcomes == other.outcomes
    assert {name: dict(rows) for name, rows in tables(one).items()} == tables(other)


def test_a_life_that_is_over_goes_without_the_collector_of_cycles():
    """A run does without it: whatever kept a cycle would keep a village, for each year."""
    live_a_year(11, most=300)
    gc.collect()
    with undisturbed():
        live_a_year(12, most=300)
        assert gc.collect() < 100


def tables(life):
    return {
        name: getattr(life.world, name) for name in ("sessions", "bookings", "queue", "lines", "balances")
    }


def test_bugs_can_still_be_planted():
    """Each names source that is there exactly once; whoever changes that source meets its bug here."""
    assert len(BUGS) >= 40
    for bug in BUGS.values():
        bug.code()


@pytest.mark.parametrize("name", SOME_BUGS)
def test_a_planted_bug_is_found(name):
    with BUGS[name].planted():
        until = process_time() + 10
        failures = (live_a_year(seed, until=until)[1] for seed in range(100))
        assert any(failure is not None for failure in failures)
    assert live_a_year(0, most=100)[1] is None


@pytest.mark.parametrize("name", RECOUNTED_BUGS)
def test_what_a_full_recount_finds_was_found_by_judging_the_step(name, monkeypatch):
    """
    The judge looks at what a step touched, and misses nothing of what counting everything would find.

    Counted anew after every step, nothing is found first by that; with the judge of
    steps struck dumb the recount does find it, so that it is no idle witness.
    """
    finds = []

    def witness(judge, at):
        try:
            recount(judge, at)
        except Broken as found:
            finds.append(found)
            raise

    monkeypatch.setattr(life_module, "RECOUNT_EVERY", 1)
    monkeypatch.setattr(life_module, "recount", witness)
    with BUGS[name].planted():
        failures = [any_failure(seed) for seed in range(3)]
        assert any(failures)
        assert finds == []
        for module in (judge_module, judge_of_ledgers, judge_of_news):
            monkeypatch.setattr(module, "must", lambda *_: None)
        monkeypatch.setattr(judge_module, "broken", lambda *_: None)
        assert any(any_failure(seed) for seed in range(3))
    assert finds


def any_failure(seed):
    return live_a_year(seed, most=600)[1]


def test_a_failure_is_shrunk_to_a_short_story():
    with BUGS["an offer is not held"].planted():
        _, failure = live_a_year(0)
        assert failure is not None
        short = shrunk(failure, seconds=5)
        assert len(short.steps) < min(10, len(failure.steps))
        assert short.promise == failure.promise
        again = relive(short.steps)
        assert again is not None
        assert again.text == short.text
    assert relive(short.steps) is None
    told = [in_words(step) for step in short.steps]
    assert any("joins the line" in line for line in told)


def test_shrinking_keeps_what_matters():
    needed = {3, 17}
    assert smallest(range(20), lambda items: needed <= set(items), until=float("inf")) == [3, 17]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([None, "a", "b", "gone", "undo"])), max_size=30))
def test_an_index_finds_what_looking_through_the_table_would_find(writes):
    """Rows come, change their value, lose it, go, and all of that is taken back."""
    changes = []
    index = Index(lambda row: row[1])
    table = Table("rows", {0: (0, "a")}, changes, [index])
    for key, value in writes:
        if value == "undo":
            while changes:
                _, changed, row = changes.pop()
                table.restore(changed, row)
        elif value != "gone":
            table[key] = key, value
        elif key in table:
            del table[key]
        for wanted in ("a", "b"):
            assert sorted(index.of(wanted)) == sorted(row for row in table.values() if row[1] == wanted)
        assert set(index.values()) == {row[1] for row in table.values()} - {None}
        assert len(list(index.rows())) == sum(row[1] is not None for row in table.values())


def test_a_row_is_updated_as_evolve_would():
    town = MemoryTown(World())
    row = town.world.sessions[town.session()]
    assert updated(row, booked_count=2, status="cancelled") == evolve(row, booked_count=2, status="cancelled")
    assert row.booked_count == 0
    with pytest.raises(KeyError):
        updated(row, no_such_column=1)


def test_undoing_in_memory_takes_back_every_kind_of_change():
    world = World()
    begin = MemoryBegin(world)
    world.settings["kept", 1] = "old"
    world.settings["gone", 1] = "old"
    before = dict(world.settings)

    def fail():
        with begin():
            world.settings["kept", 1] = "new"
            world.settings["made", 1] = "new"
            del world.settings["gone", 1]
            world.settings |= {("kept", 1): "newer", ("more", 1): "new"}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert world.settings == before
    assert not world.changes
    world.settings.restore(("kept", 1), ABSENT)
    assert ("kept", 1) not in world.settings


def test_an_inner_unit_of_work_takes_back_only_its_own_part():
    world = World()
    begin = MemoryBegin(world)

    def fail():
        with begin():
            world.settings["inner", 1] = "gone"
            raise ZeroDivisionError

    with begin():
        world.settings["outer", 1] = "kept"
        with pytest.raises(ZeroDivisionError):
            fail()
    assert dict(world.settings) == {("outer", 1): "kept"}


class Found:
    """Where the steps' numbers lead in the database."""

    def __init__(self, owner: psycopg.Connection) -> None:
        self._owner = owner

    def booking(self, session: SessionId, child: ChildId) -> BookingId | None:
        return self._first(
            """
            SELECT id FROM bookings WHERE session_id = %s AND child_id = %s
             ORDER BY status IN ('pending', 'confirmed') DESC, confirmation_code DESC LIMIT 1
            """,
            session,
            child,
        )

    def entry(self, session: SessionId, child: ChildId) -> EntryId | None:
        return self._first(
            """
            SELECT w.id FROM waitlist w JOIN waitlist_children c ON c.entry_id = w.id
             WHERE w.session_id = %s AND c.child_id = %s ORDER BY w.queue_number DESC LIMIT 1
            """,
            session,
            child,
        )

    def _first(self, statement, *values):
        row = self._owner.execute(statement, values).fetchone()
        return row and row[0]


def test_postgresql_answers_every_step_as_memory_does(begin: PostgresBegin, owner: psycopg.Connection):
    """The same steps on both stores: the same outcome each, the same seats; nexus verify agrees."""
    life = Life(varied=False)
    life.begin()
    fate = Fate(5, life.world, life.village, life.books)
    new_id = numbered()
    village = in_the_database(owner, new_id)
    opened, countdown = mortal(begin)
    hands = Hands(opened, village, Found(owner), new_id, AesGcmVault(bytes(32)))
    hands.settle_in()
    outcomes = set()
    for number in range(200):
        step = fate.next()
        if step.verb in BACKGROUND:
            continue
        countdown[0] = step.dies
        there = hands.perform(step)
        countdown[0] = 0
        here = life.live(step)
        outcomes.add(kind(here))
        assert kind(there) == kind(here), f"{in_words(step)}: {there} in PostgreSQL, {here} in memory"
        if number % 50 == 0:
            compare(life, village, owner, fate.at)
    compare(life, village, owner, fate.at)
    assert len(outcomes) > 8


def kind(outcome):
    return outcome if isinstance(outcome, str) else type(outcome).__name__


def compare(life, village, owner, at):
    for number, session in life.village.sessions.items():
        if session in life.world.sessions:
            here = life.village.towns[number % COMPANIES].seats(session)
            assert village.towns[number % COMPANIES].seats(village.sessions[number]) == here
    for finding in verify(owner, at=at, last_offer=HOUR):
        late = finding.invariant.number in {
            "I10",
            "I12",
        }  # the sweeper of these steps is late, nothing is sent
        assert finding.holds or late, finding
