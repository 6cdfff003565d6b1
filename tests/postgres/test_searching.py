"""
What a search finds in PostgreSQL is what looking at every session finds.

The store in memory is the slow reference. Worlds and searches are made at random from
few values, so that edges collide: the same change is made to both, and every search asked of
both, page by page.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, time, timedelta

import psycopg
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from contracts.catalogue_world import CHICAGO, NOON, Catalogue
from nexus.adapters.memory.begin import MemoryBegin
from nexus.adapters.memory.world import World
from nexus.adapters.postgres import browse
from nexus.adapters.postgres.invariants import INVARIANTS
from nexus.adapters.postgres.searching import LOOK_UP, WALK_CALENDAR, WALK_FREE_CALENDAR, WALKS
from nexus.application.catalogue.search import ChildInBrowse, Search, Sort
from nexus.application.catalogue.suspend_venue import SuspendVenue
from nexus.domain.catalogue.activities import Category, Tag, TagWishes
from nexus.domain.catalogue.places import Position
from nexus.domain.kernel.errors import Refusal
from nexus.domain.kernel.time import TimeOfDay
from tests.conftest import empty

pytestmark = pytest.mark.postgres

ARTS = Category.ARTS_CRAFTS
HOURS = st.sampled_from([time(8), time(12), time(17, 30)])
DAYS = st.sampled_from([date(2026, 3, day) for day in (2, 3, 4, 9)])
PRICES = st.integers(1, 3)
PLACES = st.sampled_from(
    [evolve(CHICAGO, latitude=CHICAGO.latitude + north, longitude=east) for north, east in
     [(0, -87.63), (0.05, -87.63), (0.3, -87.5), (-0.2, 179.99), (-0.2, -179.99)]]
)  # fmt: skip
ZONE = "Pacific/Auckland"
"""Already tomorrow, where it is noon."""
ONE = st.integers(0, 5)
"""Which one, of however many there are."""
INSTANTS = st.sampled_from([NOON + timedelta(hours=hours) for hours in (-30, 0, 2, 14, 26, 50)])

CHANGES = st.one_of(
    st.tuples(st.just("booked_count"), st.integers(0, 2)),
    st.tuples(st.just("held_count"), st.integers(0, 2)),
    st.tuples(st.just("waiting_count"), st.integers(0, 1)),
    st.tuples(st.sampled_from(["opens_at", "releases_at", "released_at"]), st.none() | INSTANTS),
    st.tuples(st.just("status"), st.sampled_from(["scheduled", "cancelled", "completed"])),
    st.tuples(st.just("credits_required"), PRICES),
    st.tuples(st.just("day"), DAYS),
)
STEPS = st.one_of(
    st.tuples(st.just("venue"), PLACES, st.sampled_from([date(2026, 3, 3), date(2027, 1, 1)])),
    st.tuples(st.just("activity"), ONE, st.sampled_from([ARTS, Category.MUSIC]), st.integers(4, 6), st.booleans()),
    st.tuples(st.just("session"), ONE, DAYS, HOURS, PRICES),
    st.tuples(st.just("session"), ONE, DAYS, HOURS, PRICES),
    st.tuples(st.just("change"), ONE, CHANGES),
    st.tuples(st.just("change"), ONE, CHANGES),
    st.tuples(st.just("edit"), ONE, st.sampled_from([
        {"is_active": False}, {"is_active": True}, {"min_age": 6}, {"category": ARTS},
        {"tags": frozenset({Tag.LOUD})}, {"is_published": True}])),
    st.tuples(st.just("rate"), ONE, st.sampled_from([1.25, 4.5])),
    st.tuples(st.just("suspend"), ONE),
    st.tuples(st.just("move"), ONE, PLACES),
    st.tuples(st.just("time"), st.sampled_from([1, 20, 30])),
)  # fmt: skip
WISHES = st.sampled_from([TagWishes(), TagWishes.parse(["loud"]), TagWishes.parse(["-loud"])])
SEARCHES = st.builds(
    lambda near, minutes, sort, **more: Search(
        near=near or (Position(41.9, -87.6) if sort is Sort.NEAREST else None),
        within_minutes=minutes if near else None,
        sort=sort,
        **more,
    ),
    near=st.none() | st.sampled_from([Position(41.9, -87.6), Position(41.7, 180)]),
    minutes=st.none() | st.sampled_from([5, 20, 24 * 60]),
    sort=st.sampled_from(Sort),
    categories=st.sampled_from([frozenset(), frozenset({ARTS})]),
    age=st.none() | st.integers(5, 7),
    starts_from=st.none() | DAYS | INSTANTS,
    starts_until=st.none() | DAYS | INSTANTS,
    time_of_day=st.none() | st.sampled_from(TimeOfDay),
    max_credits=st.none() | PRICES,
    available=st.booleans(),
    tags=WISHES,
    q=st.sampled_from([None, None, None, "clay"]),
)
CHILDREN = st.none() | st.builds(
    lambda born, avoid: ChildInBrowse(date_of_birth=born, activities_to_avoid=avoid, is_active=True),
    born=st.sampled_from([date(2021, 3, 3), date(2020, 3, 9)]),
    avoid=st.sampled_from([(), ("loud",)]),
)


class Twins:
    """The same catalogue in PostgreSQL and in memory."""

    def __init__(self, begin):
        self.world = World()
        self.both = [Catalogue(begin), Catalogue(MemoryBegin(self.world))]
        self.venues, self.activities, self.sessions = [], [], []

    def do(self, what, *how):
        getattr(self, what)(*how)

    def venue(self, place, expires_on):
        name = f"Venue {len(self.venues)}"
        made = self._agreed(lambda each: each.venue(name, place=place, expires_on=expires_on, time_zone=ZONE))
        if made is not None:
            self.venues.append(made)

    def activity(self, n, category, least, published):
        if not self.venues:
            return
        venue = self.venues[n % len(self.venues)]
        name = f"{'clay' if least == 4 else 'Mud'} {len(self.activities)}"
        facts = {"category": category, "min_age": least, "is_published": published, "capacity_per_session": 2}
        made = [each.activity(venue, name, **facts) for each in self.both]
        self.activities.append(made[0])

    def session(self, n, day, start, price):
        if not self.activities:
            return
        activity = self.activities[n % len(self.activities)]
        times = {"day": day, "start": start, "end": time(start.hour + 1, start.minute), "price": price}
        planned = self._agreed(lambda each: each.session(activity, **times))
        if planned is not None:
            self.sessions.append(planned)

    def change(self, n, change):
        if not self.sessions:
            return
        name, value = change
        row = self.world.sessions[self.sessions[n % len(self.sessions)].id]
        if name == "day":
            by = value - row.session_date
            changed = {"session_date": value, "starts_at": row.starts_at + by, "ends_at": row.ends_at + by}
        else:
            changed = {name: value}
        new = evolve(row, **changed)
        if new.booked_count + new.held_count > new.seats:
            return
        self.world.sessions[row.id] = new
        self._write("activity_sessions", row.id, changed)

    def rate(self, n, rating):
        if not self.activities:
            return
        id_ = self.activities[n % len(self.activities)].id
        self.world.activities[id_] = evolve(self.world.activities[id_], average_rating=rating)
        self._write("activities", id_, {"average_rating": rating})

    def edit(self, n, changes):
        if self.activities:
            activity = self.activities[n % len(self.activities)]
            self._agreed(
                lambda each: each.change_activity(activity.id, venue=activity.venue, changes=changes)
            )

    def suspend(self, n):
        if self.venues:
            venue = self.venues.pop(n % len(self.venues))
            self.activities = [each for each in self.activities if each.venue != venue.id]
            for each in self.both:
                SuspendVenue(each.begin)(venue.id, reason="Leak")

    def move(self, n, place):
        if self.venues:
            id_ = self.venues[n % len(self.venues)].id
            self.world.venues[id_] = evolve(self.world.venues[id_], place=place)
            self._write("venues", id_, {"latitude": place.latitude, "longitude": place.longitude})

    def time(self, hours):
        for each in self.both:
            each.pass_time(hours=hours)

    def _agreed(self, do):
        """What both say; nothing where both refuse."""
        said = []
        for each in self.both:
            try:
                said.append(do(each))
            except Refusal as error:
                said.append(error)
        assert type(said[0]) is type(said[1])
        if isinstance(said[0], Refusal):
            return None
        assert said[0] == said[1]
        return said[0]

    def _write(self, table, id_, changed):
        sets = ", ".join(f"{name} = %s" for name in changed)
        with self.both[0].begin() as work:
            work.connection.execute(f"UPDATE {table} SET {sets} WHERE id = %s", [*changed.values(), id_])

    def found(self, which, search, child, *, limit):
        """Every card, page by page."""
        catalogue, after, cards = self.both[which], None, []
        while True:
            with catalogue.begin() as work:
                page = work.browsing.browse(
                    search, child=child, at=catalogue.at, last_offer_minutes=60, after=after, limit=limit
                )
            cards += page
            if len(page) < limit:
                return [_comparable(card, search) for card in cards]
            after = page[-1].key


def _comparable(card, search):
    """The key of nearness is a length of another kind in each store: its order is compared, not its value."""
    distance = None if card.distance_km is None else round(card.distance_km, 6)
    key = None if search.sort is Sort.NEAREST else card.sort_key
    return evolve(card, distance_km=distance, sort_key=key, tags=tuple(sorted(card.tags)))


@pytest.fixture(params=["long walks", "walks of two rows", "no walks"])
def way(request, monkeypatch):
    """Whether a walk fills the page or gives up, the answer is the same."""
    walk = browse.walk
    if request.param == "no walks":
        monkeypatch.setattr(browse, "walk", lambda _search: None)
    elif request.param == "walks of two rows":
        monkeypatch.setattr(
            browse,
            "walk",
            lambda search: (
                (said := walk(search))
                and said.replace("LIMIT 3000", "LIMIT 2").replace("LIMIT 2000", "LIMIT 2")
            ),
        )


@pytest.mark.usefixtures("way")
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.lists(STEPS, min_size=8, max_size=25),
    asked=st.lists(st.tuples(SEARCHES, CHILDREN, st.sampled_from([2, 30])), min_size=6, max_size=10),
)
def test_a_search_finds_what_looking_at_everything_finds(begin, owner, steps, asked):
    empty(owner)
    twins = Twins(begin)
    for step in [("venue", CHICAGO, date(2027, 1, 1)), ("activity", 0, ARTS, 5, True), *steps]:
        twins.do(*step)
    for search, child, limit in asked:
        assert twins.found(0, search, child, limit=limit) == twins.found(1, search, child, limit=limit)


def test_searches_are_short_enough_to_be_read_once():
    """What is longer than 4,096 characters psycopg reads anew at each execution; along the calendar it still does."""
    statements = {*LOOK_UP.values(), *WALKS} - {WALK_CALENDAR, WALK_FREE_CALENDAR}
    assert [each for each in statements if len(each) > MAX_CACHED_STATEMENT_LENGTH] == []


def test_no_index_of_sessions_holds_a_counter(owner):
    """Every booking changes one: its row is changed in place, and no index with it."""
    counters = ("booked_count", "held_count", "sellable", "waiting_count", "last_queue_number")
    indexes = owner.execute(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'activity_sessions'::regclass"
    ).fetchall()
    assert any("has_seats" in index for (index,) in indexes)
    assert [index for (index,) in indexes if any(counter in index for counter in counters)] == []


SUSPEND = "UPDATE venues SET status = 'suspended' WHERE id = %s"
WITHDRAW = "UPDATE activities SET is_published = false WHERE venue_id = %s"
PLAN_AT_A_NEW_PRICE = """
    INSERT INTO activity_sessions (id, activity_id, venue_id, session_date, start_time, end_time, timezone, time_of_day,
                                   starts_at, ends_at, credits_required, total_capacity, sellable, created_at)
    SELECT gen_random_uuid(), activity_id, venue_id, session_date, start_time, end_time, timezone, time_of_day,
           starts_at, ends_at, 77, total_capacity, sellable, created_at
      FROM activity_sessions WHERE venue_id = %s LIMIT 1
"""


@pytest.mark.parametrize("change", [SUSPEND, WITHDRAW])
@pytest.mark.parametrize("planned_first", [True, False])
def test_a_first_listing_and_a_change_behind_it_do_not_miss_each_other(
    begin, database_url, owner, change, planned_first
):
    """Whoever comes second waits, and sees what the first one has done."""
    catalogue = Catalogue(begin)
    venue = catalogue.venue()
    catalogue.offer(venue)
    steps = [PLAN_AT_A_NEW_PRICE, change] if planned_first else [change, PLAN_AT_A_NEW_PRICE]
    with psycopg.connect(database_url) as first, psycopg.connect(database_url) as second:
        first.execute(steps[0], [venue.id])
        with ThreadPoolExecutor(1) as beside:
            coming = beside.submit(second.execute, steps[1], [venue.id])
            _wait_until_blocked(owner, second)
            assert not coming.done()
            first.commit()
            coming.result()
        second.commit()
    assert owner.execute("SELECT count(*) FROM listings WHERE credits_required = 77").fetchone() == (1,)
    assert owner.execute("SELECT count(*) FROM listings WHERE is_open AND is_offered").fetchone() == (0,)
    query = next(each.query for each in INVARIANTS if each.number == "I18")
    assert owner.execute(query).fetchall() == []


def _wait_until_blocked(owner, connection):
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    for _ in range(10_000):
        if owner.execute(waits, [connection.info.backend_pid]).fetchone()[0]:
            return
    raise AssertionError("nobody waits")
