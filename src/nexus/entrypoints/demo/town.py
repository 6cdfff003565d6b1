"""The town's venues, what they offer, and when."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any, Final

from attrs import frozen

from nexus.application.catalogue.views import VenueSessionView
from nexus.application.identity.create_user import NewUser
from nexus.domain.catalogue.activities import Activity, Category, Tag
from nexus.domain.catalogue.places import Place
from nexus.domain.catalogue.venues import Insurance, Venue
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import ActivityId, UserId
from nexus.domain.kernel.time import local_date
from nexus.entrypoints.demo.accounts import DEMO_PASSWORD, VENUE_ADMIN
from nexus.entrypoints.demo.data import VenueLine, activities, centroids, venues
from nexus.entrypoints.demo.stage import Stage

ZONE: Final = "America/Chicago"
EACH: Final = 5
"""Activities of one venue."""

FIXED_VENUE: Final = "Marigold Street Studio"

WEEKDAYS: Final = {"mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7}
SEATS: Final = {"solo": 4, "small_group": 10, "big_social": 20}
LIKE: Final = {
    "indoor": (Tag.INDOOR,),
    "outdoor": (Tag.OUTDOOR,),
    "both": (Tag.INDOOR, Tag.OUTDOOR),
    "calm": (Tag.CALM_FOCUSED,),
    "balanced": (Tag.BALANCED,),
    "high": (Tag.HIGH_ENERGY,),
}
FLAGS: Final = (
    "messy",
    "competitive",
    "loud",
    "physical_contact",
    "parent_required",
    "wheelchair",
    "sensory_friendly",
)
FIRST_NAMES: Final = ("Alma", "Bram", "Chiara", "Dario", "Edda", "Farid", "Greta", "Hugo", "Imani", "Jonas")
LAST_NAMES: Final = ("Ashdown", "Bellweather", "Castellan", "Dunmore", "Everhart", "Fairlie", "Gantry")
MORE_PEOPLE_THAN_SEATS: Final = 24
"""Activities of which the pass has only two or three seats at a time."""


@frozen
class Offer:
    """An activity with its venue, and whoever runs that."""

    activity: Activity
    venue: Venue
    admin: UserId
    is_scarce: bool


@frozen
class Town:
    """Everything on offer, by activity."""

    offers: Mapping[ActivityId, Offer]

    def sessions(self, stage: Stage) -> Sequence[VenueSessionView]:
        """Every session planned so far that is still to come, by start."""
        places = {offer.venue.id for offer in self.offers.values()}
        found = [
            session
            for venue in sorted(places)
            for session in stage.nexus.list_venue_sessions(venue=venue, starts_from=stage.now, limit=100_000)
        ]
        return sorted(found, key=lambda session: (session.starts_at, session.id))


def open_town(stage: Stage, progress: Callable[[], None]) -> Town:
    """Approve sixty venues with five activities each; one more waits for approval."""
    dealt = _deal()
    scarce = _scarce(dealt)
    offers: dict[ActivityId, Offer] = {}
    for number, (line, offered) in enumerate(dealt):
        venue = _open(stage, line, number)
        admin = _employ(stage, venue, number)
        for entry in offered:
            activity = _offer(stage, venue, line, entry, seats=scarce.get(entry["id"]))
            offers[activity.id] = Offer(activity, venue, admin, entry["id"] in scarce)
        progress()
    waiting = VenueLine("music", "Juniper Loft", "1818 Sextant Street", "60640", frozenset())
    _apply(stage, waiting, len(dealt))
    return Town(offers)


def _deal() -> list[tuple[VenueLine, list[Mapping[str, Any]]]]:
    """Each venue with its five activities; those outdoors go to the first venues of a category."""
    by_category: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in activities():
        by_category[entry["category"]].append(entry)
    for entries in by_category.values():
        entries.sort(key=lambda entry: (("outdoor", "both", "indoor").index(entry["setting"]), entry["id"]))
    dealt = []
    for line in venues():
        entries = by_category[line.category]
        dealt.append((line, entries[:EACH]))
        del entries[:EACH]
    return dealt


def _scarce(dealt: list[tuple[VenueLine, list[Mapping[str, Any]]]]) -> dict[str, int]:
    """The seats of activities that many children could join but few can."""
    wide = sorted(
        entry["id"]
        for line, offered in dealt
        for entry in offered
        if not line.has("premium") and not line.has("confirms")
        if entry["min_age"] <= 7 and entry["max_age"] >= 10 and entry["credits"] <= 6  # noqa: PLR2004
    )
    step = max(1, len(wide) // MORE_PEOPLE_THAN_SEATS)
    return {key: 2 + number % 2 for number, key in enumerate(wide[::step][:MORE_PEOPLE_THAN_SEATS])}


def _apply(stage: Stage, line: VenueLine, number: int) -> Venue:
    centre = centroids()[line.zip_code]
    random, today = stage.random, local_date(stage.end, ZONE)
    # West of the centre rather than east: half of these ZIP codes end at the lake.
    latitude = centre.latitude + random.uniform(-0.006, 0.006)
    longitude = centre.longitude - random.uniform(0, 0.008)
    closed = [today + timedelta(days=20 + number % 15)] if number % 7 == 0 else []
    handle = "".join(letter for letter in line.name.lower() if letter.isalnum())
    return stage.nexus.create_venue(
        name=line.name,
        place=Place(
            address_line1=line.street,
            city="Chicago",
            state="IL",
            postal_code=line.zip_code,
            latitude=round(latitude, 5),
            longitude=round(longitude, 5),
        ),
        time_zone=ZONE,
        short_description=f"{line.category.replace('_', ' & ').capitalize()} for children, close to home.",
        contact_email=f"hello@{handle}.example",
        contact_phone=f"+1 312 555 01{number:02}",
        insurance=Insurance((1 + number % 4) * 100_000_000, today + timedelta(days=120 + 7 * number)),
        background_check_completed=True,
        safety_audit_completed=True,
        accessibility_features=["step-free entrance"] if number % 3 else [],
        closed_dates=closed,
        is_premium=line.has("premium"),
        requires_confirmation=line.has("confirms"),
        confirmation_hours=line.hours("confirms", 24),
        inventory_release_hours=line.hours("release", 72),
    )


def _open(stage: Stage, line: VenueLine, number: int) -> Venue:
    return stage.nexus.approve_venue(_apply(stage, line, number).id)


def _employ(stage: Stage, venue: Venue, number: int) -> UserId:
    email = VENUE_ADMIN.email if venue.name == FIXED_VENUE else f"venue{number + 1:02}@demo.example"
    me = stage.nexus.create_user(
        NewUser(
            email=email,
            role=Role.VENUE_ADMIN,
            first_name=FIRST_NAMES[number % len(FIRST_NAMES)],
            last_name=LAST_NAMES[number % len(LAST_NAMES)],
            venue=venue.id,
            time_zone=ZONE,
            password=DEMO_PASSWORD,
            is_verified=True,
        )
    )
    return me.id


def _offer(
    stage: Stage, venue: Venue, line: VenueLine, entry: Mapping[str, Any], *, seats: int | None
) -> Activity:
    """An activity with its weekly schedules; its sessions exist at once."""
    capacity = SEATS[entry["group"]]
    if seats is None and line.has("block"):
        seats = capacity // 2
    features = [text for flag, text in ((entry["wheelchair"], "wheelchair access"),) if flag]
    activity = stage.nexus.create_activity(
        venue=venue.id,
        name=entry["name"],
        category=Category(entry["category"]),
        short_description=entry["description"] if len(entry["description"]) <= 150 else None,  # noqa: PLR2004
        full_description=entry["description"],
        min_age=entry["min_age"],
        max_age=entry["max_age"],
        duration_minutes=entry["duration"],
        credits_required=entry["credits"],
        capacity_per_session=capacity,
        tags=[*LIKE[entry["setting"]], *LIKE[entry["energy"]], Tag(entry["group"])]
        + [Tag(flag) for flag in FLAGS if entry[flag]],
        accessibility_features=features,
        what_to_bring=["Clothes that may get dirty"] if entry["messy"] else [],
        is_published=True,
    )
    days: dict[int, list[int]] = defaultdict(list)
    for slot in entry["slots"]:
        days[slot["start"]].append(WEEKDAYS[slot["day"]])
    for start, weekdays in days.items():
        stage.nexus.create_schedule(
            activity.id,
            venue=venue.id,
            days_of_week=weekdays,
            start_time=time(start // 60, start % 60),
            effective_from=local_date(stage.now, ZONE),
            platform_allocated_spots=seats,
        )
    return activity


def add_specials(stage: Stage, town: Town, first: date) -> None:
    """A dozen sessions that are on no schedule."""
    chosen = stage.random.sample(sorted(town.offers), 12)
    for number, key in enumerate(chosen):
        offer = town.offers[key]
        start = 10 * 60 + 240 * (number % 2)
        end = start + offer.activity.duration_minutes
        stage.nexus.create_session(
            key,
            venue=offer.venue.id,
            day=first + timedelta(days=3 * number),
            start=time(start // 60),
            end=time(end // 60, end % 60),
            session_notes="An extra date, for whoever cannot come on the usual days.",
        )
