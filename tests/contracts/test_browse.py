"""What families find, over PostgreSQL and in memory."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from contracts.catalogue_world import CHICAGO, NOON, Catalogue, set_counts
from nexus.application.catalogue.search import Search, Sort
from nexus.application.catalogue.show import ListSessionsOfActivity, ShowActivity, ShowSession
from nexus.application.catalogue.suspend_venue import SuspendVenue
from nexus.domain.catalogue.activities import Category, Tag, TagWishes
from nexus.domain.catalogue.places import Position
from nexus.domain.kernel.errors import ChildNotActive, NoSuchThing
from nexus.domain.kernel.time import TimeOfDay


@pytest.fixture
def catalogue(any_begin):
    return Catalogue(any_begin)


def put_child(work, *, born, avoid=(), status="active"):
    """A child of parent 2, by the shortest way into either store."""
    if hasattr(work, "world"):
        from nexus.application.identity.ports import StoredChild
        from nexus.domain.identity.families import ChildStatus

        work.world.children[UUID(int=3)] = StoredChild(
            id=UUID(int=3),
            parent=UUID(int=2),
            company=UUID(int=1),
            first_name="Ida",
            date_of_birth=born,
            energy_level=None,
            social_preference=None,
            interests=(),
            activities_to_avoid=tuple(avoid),
            accessibility_needs=(),
            medical_notes=None,
            status=ChildStatus(status),
            consents=frozenset(),
            created_at=NOON,
            version=1,
        )
        return
    run = work.connection.execute
    run(
        "INSERT INTO corporates (id, company_name, timezone, primary_contact_name, primary_contact_email,"
        " contract_start_date, created_at) VALUES (%s, 'C', 'UTC', 'P', 'p@example.org', '2026-01-01', now())",
        [UUID(int=1)],
    )
    run(
        "INSERT INTO users (id, email, role, first_name, last_name, corporate_id, timezone, joined_at)"
        " VALUES (%s, 'a@example.org', 'parent', 'A', 'B', %s, 'UTC', now())",
        [UUID(int=2), UUID(int=1)],
    )
    run(
        "INSERT INTO children (id, parent_id, corporate_id, first_name, date_of_birth, activities_to_avoid,"
        " status, consents, created_at) VALUES (%s, %s, %s, 'Ida', %s, %s, %s, %s, now())",
        [
            UUID(int=3),
            UUID(int=2),
            UUID(int=1),
            born,
            list(avoid),
            status,
            [] if status == "draft" else ["data_collection"],
        ],
    )


def test_only_what_can_be_visited_is_found(catalogue):
    venue = catalogue.venue()
    catalogue.offer(venue, "Shown")
    catalogue.offer(venue, "Hidden", is_published=False)
    catalogue.activity(venue, "Without sessions")
    ended = catalogue.offer(venue, "Not offered")[0]
    catalogue.change_activity(ended.id, venue=venue.id, changes={"is_active": False})
    catalogue.offer(catalogue.venue("Pending", approved=False), "Pending")
    catalogue.offer(catalogue.venue("Lapses", expires_on=date(2026, 3, 9)), "Not covered that day")
    suspended = catalogue.venue("Suspended")
    catalogue.offer(suspended, "Suspended")
    SuspendVenue(catalogue.begin)(suspended.id, reason="Leak")
    for sort in (Sort.SOONEST, Sort.NAME, Sort.RATING, Sort.CHEAPEST):
        assert catalogue.names(sort=sort) == ["Shown"], sort


def test_a_card_tells_the_next_session_and_the_way(catalogue):
    _, later = catalogue.offer(catalogue.venue(), session={"start": time(12), "end": time(13)})
    with catalogue.begin() as work:
        activity = work.activities.get(later.activity, venue=later.venue)
    sooner = catalogue.session(activity, start=time(9), end=time(10), price=3)
    (card,) = catalogue.browse_activities(Search(near=Position(41.97, -87.63)))
    assert card.next_session.id == sooner.id
    assert (card.next_session.credits_required, card.next_session.free_seats) == (3, 10)
    assert card.distance_km == pytest.approx(10.007, abs=0.01)
    assert card.drive_minutes == 27
    assert card.venue.place == CHICAGO


def test_filters_and_negations(catalogue):
    venue = catalogue.venue()
    catalogue.offer(venue, "Mud", tags=[Tag.OUTDOOR, Tag.MESSY, Tag.LOUD], min_age=4, max_age=6)
    catalogue.offer(venue, "Garden", tags=[Tag.OUTDOOR], category=Category.NATURE, credits_required=9)
    assert catalogue.names(tags=TagWishes.parse(["outdoor", "-messy"])) == ["Garden"]
    assert catalogue.names(tags=TagWishes.parse(["-outdoor"])) == []
    assert catalogue.names(categories=frozenset({Category.NATURE})) == ["Garden"]
    either = frozenset({Category.NATURE, Category.ARTS_CRAFTS})
    assert sorted(catalogue.names(categories=either)) == ["Garden", "Mud"]
    assert catalogue.names(max_credits=8) == ["Mud"]
    assert catalogue.names(age=4) == ["Mud"]
    assert catalogue.names(age=9) == ["Garden"]
    assert catalogue.names(age=10) == []


def test_words_and_parts_of_names_are_found(catalogue):
    venue = catalogue.venue()
    catalogue.offer(venue, "Rocket Lab", full_description="Launch with water pressure.")
    catalogue.offer(venue, "100% Fun")
    assert catalogue.names(q="rocket") == ["Rocket Lab"]
    assert catalogue.names(q="ocke") == ["Rocket Lab"]
    assert catalogue.names(q="water launch") == ["Rocket Lab"]
    assert catalogue.names(q="0%") == ["100% Fun"]
    assert catalogue.names(q="%") == ["100% Fun"]
    assert catalogue.names(q="zebra") == []


def test_dates_mean_local_days_and_instants_mean_starts(catalogue):
    # 21:00 in Chicago is already the next day in UTC.
    _, session = catalogue.offer(catalogue.venue(), session={"start": time(21), "end": time(22)})
    day, start, moment = session.session_date, session.starts_at, timedelta(microseconds=1)
    assert catalogue.names(starts_from=day, starts_until=day)
    assert not catalogue.names(starts_from=day + timedelta(days=1))
    assert not catalogue.names(starts_until=day - timedelta(days=1))
    assert catalogue.names(starts_from=start)
    assert not catalogue.names(starts_from=start + moment)
    assert not catalogue.names(starts_until=start)
    assert catalogue.names(starts_until=start + moment)
    assert catalogue.names(time_of_day=TimeOfDay.EVENING)
    assert not catalogue.names(time_of_day=TimeOfDay.AFTERNOON)


@pytest.mark.parametrize("bound", [date.min, date.max])
def test_the_ends_of_the_calendar_are_no_accident(catalogue, bound):
    catalogue.offer(catalogue.venue())
    found = catalogue.names(starts_from=bound), catalogue.names(starts_until=bound)
    assert sorted(map(len, found)) == [0, 1]


def test_within_so_many_minutes(catalogue):
    far = evolve(CHICAGO, latitude=42.5)
    catalogue.offer(catalogue.venue("Far", place=far), "Far")
    catalogue.offer(catalogue.venue("Near"), "Near")
    here = Position(41.97, -87.63)
    assert catalogue.names(near=here, within_minutes=27) == ["Near"]
    assert catalogue.names(near=here, within_minutes=26) == []
    assert catalogue.names(near=here, sort=Sort.NEAREST) == ["Near", "Far"]


def test_a_child_finds_what_suits_it_on_the_day_of_the_session(catalogue):
    with catalogue.begin() as work:
        put_child(work, born=date(2020, 3, 10), avoid=["messy", "dance"])
    venue = catalogue.venue()
    six = {"min_age": 6, "max_age": 6}
    catalogue.offer(venue, "On the birthday", **six)
    catalogue.offer(venue, "The day before", session={"day": date(2026, 3, 9)}, **six)
    catalogue.offer(venue, "Messy", tags=[Tag.MESSY], **six)
    catalogue.offer(venue, "Dance", category=Category.DANCE, **six)
    child, parent = UUID(int=3), UUID(int=2)
    assert catalogue.names(child=child, parent=parent) == ["On the birthday"]
    with pytest.raises(NoSuchThing):
        catalogue.names(child=child, parent=UUID(int=9))


@pytest.mark.parametrize("status", ["draft", "deactivated"])
def test_nobody_searches_for_a_child_that_is_not_active(catalogue, status):
    with catalogue.begin() as work:
        put_child(work, born=date(2020, 3, 10), status=status)
    with pytest.raises(ChildNotActive) as refused:
        catalogue.names(child=UUID(int=3), parent=UUID(int=2))
    assert refused.value.child == UUID(int=3)


@pytest.mark.parametrize(
    ("change", "free"),
    [
        ({}, 2),
        ({"booked_count": 1}, 1),
        ({"booked_count": 1, "held_count": 1}, 0),
        ({"waiting_count": 1}, 0),
        ({"status": "cancelled"}, 0),
        ({"releases_at": datetime.fromisoformat("2026-03-02T12:00:00+00:00")}, 0),
        ({"releases_at": datetime.fromisoformat("2026-03-02T12:00:00.000001+00:00")}, 2),
        (
            {
                "releases_at": datetime.fromisoformat("2026-03-02T11:00:00+00:00"),
                "released_at": datetime.fromisoformat("2026-03-02T11:01:00+00:00"),
            },
            2,
        ),
        ({"opens_at": datetime.fromisoformat("2026-03-02T12:00:00+00:00")}, 2),
        ({"opens_at": datetime.fromisoformat("2026-03-02T12:00:00.000001+00:00")}, 0),
    ],
)
def test_free_seats_are_those_that_can_be_booked_now(catalogue, change, free):
    _, session = catalogue.offer(catalogue.venue(), session={"capacity": 2})
    with catalogue.begin() as work:
        set_counts(work, session, **change)
    shown = ShowSession(catalogue.begin, catalogue.now)(session.id)
    assert shown.free_seats == free
    assert catalogue.names(available=True) == (["Clay Club"] if free else [])


def test_in_the_last_hour_seats_are_open_to_all_though_others_wait(catalogue):
    _, session = catalogue.offer(catalogue.venue())
    with catalogue.begin() as work:
        set_counts(work, session, waiting_count=1, releases_at=None)
    for before, free in [(timedelta(minutes=60), 0), (timedelta(minutes=59), 10)]:
        catalogue.at = session.starts_at - before
        assert ShowSession(catalogue.begin, catalogue.now)(session.id).free_seats == free
    catalogue.at = session.starts_at
    assert ShowSession(catalogue.begin, catalogue.now)(session.id).free_seats == 0
    assert catalogue.names() == []


def test_available_looks_past_a_full_session(catalogue):
    activity, full = catalogue.offer(catalogue.venue())
    free = catalogue.session(activity, start=time(15), end=time(16))
    with catalogue.begin() as work:
        set_counts(work, full, booked_count=10)
    (card,) = catalogue.browse_activities(Search())
    assert card.next_session.id == full.id
    (card,) = catalogue.browse_activities(Search(available=True))
    assert card.next_session.id == free.id


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_follow_each_other_without_gap_or_repetition(catalogue, sort):
    for name, latitude in [("one", 41.9), ("Two", 41.8)]:
        venue = catalogue.venue(name, place=evolve(CHICAGO, latitude=latitude))
        for n, price in enumerate([2, 1, 2]):
            activity, _ = catalogue.offer(venue, f"{name} {n % 2}", credits_required=price)
            catalogue.session(activity, day=date(2026, 3, 9))
            catalogue.session(activity, day=date(2026, 3, 10 + n), start=time(14), end=time(15))
    search = Search(sort=sort, near=Position(41.97, -87.63))
    everything = catalogue.browse_activities(search)
    assert len({card.id for card in everything}) == 6
    assert [card.key for card in everything] == sorted(card.key for card in everything)
    paged, after = [], None
    while page := catalogue.browse_activities(search, after=after, limit=2):
        paged += page
        after = page[-1].key
    assert paged == list(everything)


def test_late_pages_go_on_where_early_ones_ended(catalogue):
    """PostgreSQL answers pages far from the present in another way than near ones."""
    venue = catalogue.venue()
    for day in range(3, 9):
        activity, _ = catalogue.offer(venue, str(day), session={"day": date(2026, 3, day)})
        catalogue.session(activity, day=date(2026, 3, day + 1), start=time(8), end=time(9))
    paged, after = [], None
    while page := catalogue.browse_activities(Search(), after=after, limit=1):
        paged += [card.name for card in page]
        after = page[-1].key
    assert paged == ["3", "4", "5", "6", "7", "8"]


def test_an_activity_and_its_coming_sessions(catalogue):
    venue = catalogue.venue()
    activity, first = catalogue.offer(venue)
    second = catalogue.session(activity, start=time(12), end=time(13))
    show = ShowActivity(catalogue.begin, catalogue.now)
    assert show(activity.id).activity == activity
    assert show(activity.id).venue.name == "Lakeside"
    listed = ListSessionsOfActivity(catalogue.begin, catalogue.now)
    assert [s.id for s in listed(activity.id)] == [first.id, second.id]
    assert [s.id for s in listed(activity.id, after=listed(activity.id)[0].key)] == [second.id]
    catalogue.change_activity(activity.id, venue=venue.id, changes={"is_published": False})
    for ask, id_ in [
        (show, activity.id),
        (listed, activity.id),
        (ShowSession(catalogue.begin, catalogue.now), first.id),
    ]:
        with pytest.raises(NoSuchThing):
            ask(id_)
