"""One row of another publisher's catalogue, and whether it becomes something that families book."""

import re
from collections.abc import Mapping
from datetime import date, time, timedelta
from enum import StrEnum
from hashlib import sha256

from attrs import astuple, evolve, field, frozen

from nexus.domain.catalogue.activities import HIGHEST_PRICE, MOST_SEATS, OLDEST, Category
from nexus.domain.catalogue.import_rules import Rules, key
from nexus.domain.catalogue.import_values import (
    calendar_date,
    degrees,
    has_time,
    number,
    wall_time,
    weekdays,
    whole,
)
from nexus.domain.catalogue.places import Place
from nexus.domain.catalogue.plain_text import one_line, plain_text, shortened

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 20_000
LONGEST_TEASER = 150
_EARLIEST, _LATEST = 1970, 2200
TIMING = ("start_date", "end_date", "start_time", "end_time", "days")
"""The cells that say when: without a column for one of them, weekly programmes would pass for single ones."""


class Refusal(StrEnum):
    """Why a row cannot be imported."""

    BROKEN_ROW = "broken-row"
    NO_ID = "no-id"
    DUPLICATE_ID = "duplicate-id"
    NO_NAME = "no-name"
    NOT_FOR_CHILDREN = "not-for-children"
    ADULTS_ONLY = "adults-only"
    NO_AGES = "no-ages"
    AGES_REVERSED = "ages-reversed"
    ONLINE = "online"
    NO_PLACE = "no-place"
    NO_DATES = "no-dates"
    DATES_REVERSED = "dates-reversed"
    NO_START_TIME = "no-start-time"
    NO_END_TIME = "no-end-time"
    END_NOT_AFTER_START = "end-not-after-start"
    NO_SUCH_DAY = "no-such-day"
    NO_CAPACITY = "no-capacity"
    NO_CATEGORY = "no-category"
    NO_PRICE = "no-price"
    NEVER_TAKES_PLACE = "never-takes-place"


class Adjustment(StrEnum):
    """What was changed, completed or supposed so that a row could be imported."""

    NAME_SHORTENED = "name-shortened"
    DESCRIPTION_SHORTENED = "description-shortened"
    MARKUP_REMOVED = "markup-removed"
    MAX_AGE_CLAMPED = "max-age-clamped"
    MAX_AGE_OPEN = "max-age-open"
    AGES_NOT_STATED = "ages-not-stated"
    CAPACITY_CLAMPED = "capacity-clamped"
    CAPACITY_ASSUMED = "capacity-assumed"
    FIRST_OF_SEVERAL_CATEGORIES = "first-of-several-categories"
    NEAREST_CATEGORY = "nearest-category"
    CATEGORY_ASSUMED = "category-assumed"
    PRICE_ASSUMED = "price-assumed"
    PLACE_COMPLETED = "place-completed"
    WEEKDAY_FROM_START_DATE = "weekday-from-start-date"
    INSURANCE_ASSUMED = "insurance-assumed"


ALWAYS = frozenset(
    {Adjustment.INSURANCE_ASSUMED, Adjustment.WEEKDAY_FROM_START_DATE, Adjustment.MARKUP_REMOVED}
)
"""Adjustments that touch no fact of the programme: such a row counts as usable as it was."""


@frozen(kw_only=True)
class Meetings:
    """When it takes place: on one day, or every week on the same days."""

    first: date
    last: date
    days: frozenset[int]
    start: time
    end: time

    @property
    def is_single(self) -> bool:
        return self.first == self.last

    @property
    def duration_minutes(self) -> int:
        return (self.end.hour - self.start.hour) * 60 + self.end.minute - self.start.minute

    def shifted(self, weeks: int) -> "Meetings":
        """The same so many weeks later."""
        by = timedelta(weeks=weeks)
        return evolve(self, first=self.first + by, last=self.last + by)


@frozen(kw_only=True)
class Programme:
    """A row that families can book, in our terms."""

    ref: str
    venue_ref: str
    venue_name: str
    place: Place
    name: str
    description: str
    category: Category
    min_age: int
    max_age: int
    credits: int
    capacity: int
    meetings: Meetings

    @property
    def teaser(self) -> str:
        return shortened(" ".join(self.description.split()), LONGEST_TEASER)

    @property
    def fingerprint(self) -> bytes:
        """The same for the same facts, whatever the clock shows and wherever the row stands."""
        m = self.meetings
        facts = (*astuple(self, recurse=False)[:-1], m.first, m.last, sorted(m.days), m.start, m.end)
        return sha256(repr(facts).encode()).digest()


@frozen
class Verdict:
    """What becomes of a row: a programme with its adjustments, or all reasons against it."""

    ref: str
    name: str
    programme: Programme | None = None
    adjustments: tuple[Adjustment, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@frozen
class _Row:
    """The cells of a row while it is judged."""

    cells: Mapping[str, str]
    rules: Rules
    adjustments: list[Adjustment] = field(factory=list)
    refusals: list[Refusal] = field(factory=list)

    def text(self, name: str) -> str:
        return one_line(self.cells.get(name, ""))

    def refuse(self, reason: Refusal) -> None:
        self.refusals.append(reason)

    def adjust(self, what: Adjustment) -> None:
        self.adjustments.append(what)


def judge(cells: Mapping[str, str], rules: Rules) -> Verdict:
    """
    What becomes of a row, given its cells by our names of them.

    Never raises: whatever stands in the cells, the answer is a programme or reasons.
    """
    row = _Row(cells, rules)
    identity, name = row.text("id")[:100], row.text("name")
    if not identity:
        row.refuse(Refusal.NO_ID)
    if not name:
        row.refuse(Refusal.NO_NAME)
    if rules.not_for_children is not None and rules.not_for_children.search(name):
        row.refuse(Refusal.NOT_FOR_CHILDREN)
    ages = _ages(row)
    place = _place(row)
    meetings = _meetings(row)
    capacity = _capacity(row)
    category = _category(row)
    price = _price(row)
    description = _description(row)
    if len(name) > LONGEST_NAME:
        name = shortened(name, LONGEST_NAME)
        row.adjust(Adjustment.NAME_SHORTENED)
    ref = f"{rules.source}:{identity}"
    if row.refusals or not (ages and place and meetings and capacity and category and price):
        return Verdict(ref, name, refusals=tuple(row.refusals))
    row.adjust(Adjustment.INSURANCE_ASSUMED)
    organisation = row.text("organisation") or place.address_line1
    programme = Programme(
        ref=ref,
        venue_ref=_venue_ref(rules.source, organisation, place.address_line1),
        venue_name=_venue_name(organisation, row.text("venue") or place.address_line1),
        place=place,
        name=name,
        description=description,
        category=category,
        min_age=ages[0],
        max_age=ages[1],
        credits=price,
        capacity=capacity,
        meetings=meetings,
    )
    return Verdict(ref, name, programme, tuple(row.adjustments))


def _venue_ref(source: str, organisation: str, address: str) -> str:
    digest = sha256(f"{key(organisation)}\n{key(address)}".encode()).hexdigest()
    return f"{source}:{digest[:24]}"


def _venue_name(organisation: str, where: str) -> str:
    name = organisation if key(where) == key(organisation) else f"{organisation}, {where}"
    return shortened(name, LONGEST_NAME)


def _ages(row: _Row) -> tuple[int, int] | None:
    low, high = whole(row.text("min_age")), whole(row.text("max_age"))
    if low is None or low < 0 or (high is None and row.text("max_age")):
        row.refuse(Refusal.NO_AGES)
        return None
    if low >= row.rules.adult_age:
        row.refuse(Refusal.ADULTS_ONLY)
        return None
    if high is None:
        row.adjust(Adjustment.MAX_AGE_OPEN)
        return low, OLDEST
    if (low, high) in row.rules.ages_unstated:
        row.adjust(Adjustment.AGES_NOT_STATED)
        return 0, OLDEST
    if high < low:
        row.refuse(Refusal.AGES_REVERSED)
        return None
    if high > OLDEST:
        row.adjust(Adjustment.MAX_AGE_CLAMPED)
    return low, min(high, OLDEST)


def _place(row: _Row) -> Place | None:
    if key(row.text("meeting_type")) in row.rules.online:
        row.refuse(Refusal.ONLINE)
        return None
    rules, address = row.rules, shortened(row.text("address"), 255)
    latitude, longitude = degrees(row.text("latitude"), 90), degrees(row.text("longitude"), 180)
    state = row.text("state")
    state = rules.states.get(key(state), state)
    city, postal_code = row.text("city"), row.text("postal_code").removesuffix(".0")
    if not (city and state and postal_code):
        city, state, postal_code = city or rules.city, state or rules.state, postal_code or rules.postal_code
        row.adjust(Adjustment.PLACE_COMPLETED)
    if not (address and city and state and postal_code and latitude and longitude):
        row.refuse(Refusal.NO_PLACE)
        return None
    return Place(
        address_line1=address,
        city=city[:100],
        state=state[:100],
        postal_code=postal_code[:20],
        country=rules.country,
        latitude=latitude,
        longitude=longitude,
    )


def _meetings(row: _Row) -> Meetings | None:
    dates, times, days = _dates(row), _times(row), weekdays(row.text("days"))
    if days is None:
        row.refuse(Refusal.NO_SUCH_DAY)
    if dates is None or times is None or days is None:
        return None
    first, last = dates
    if not days:
        days = frozenset({first.isoweekday()})
        if last > first:
            row.adjust(Adjustment.WEEKDAY_FROM_START_DATE)
    week = range(min(7, (last - first).days + 1))
    if not any((first + timedelta(days=n)).isoweekday() in days for n in week):
        row.refuse(Refusal.NEVER_TAKES_PLACE)
        return None
    return Meetings(first=first, last=last, days=days, start=times[0], end=times[1])


def _dates(row: _Row) -> tuple[date, date] | None:
    """The first and the last date; where there is no last one, it takes place once."""
    first = calendar_date(row.text("start_date"), day_first=row.rules.day_first)
    stated = row.text("end_date")
    last = calendar_date(stated, day_first=row.rules.day_first) if stated else first
    if first is None or last is None or not _EARLIEST <= first.year <= _LATEST or last.year > _LATEST:
        row.refuse(Refusal.NO_DATES)
        return None
    if last < first:
        row.refuse(Refusal.DATES_REVERSED)
        return None
    return first, last


def _times(row: _Row) -> tuple[time, time] | None:
    """
    Start and end on one day.

    Nothing for children goes on past midnight: an end that is not after the start is
    an error in the file, and no guess at it is safe.
    """
    start, end = _time(row, "start"), _time(row, "end")
    if start is None:
        row.refuse(Refusal.NO_START_TIME)
    if end is None:
        row.refuse(Refusal.NO_END_TIME)
    if start is None or end is None:
        return None
    if end <= start:
        row.refuse(Refusal.END_NOT_AFTER_START)
        return None
    return start, end


def _time(row: _Row, which: str) -> time | None:
    """From its own column, or from that of the date where it stands there."""
    with_date = row.text(f"{which}_date")
    return wall_time(row.text(f"{which}_time") or (with_date if has_time(with_date) else ""))


def _capacity(row: _Row) -> int | None:
    rules, capacity = row.rules, whole(row.text("capacity"))
    if capacity is not None and 0 < capacity < rules.capacity_limit:
        return min(capacity, MOST_SEATS)
    if capacity is not None and capacity > 0:
        row.adjust(Adjustment.CAPACITY_CLAMPED)
        return rules.capacity_above
    if rules.default_capacity is None or capacity is not None:
        row.refuse(Refusal.NO_CAPACITY)
        return None
    row.adjust(Adjustment.CAPACITY_ASSUMED)
    return rules.default_capacity


def _category(row: _Row) -> Category | None:
    rules = row.rules
    named = [key(name) for name in row.text("categories").split(rules.separator) if name.strip()]
    for known, approximate in ((rules.categories, False), (rules.approximate, True)):
        for name in named:
            if name in known:
                if approximate:
                    row.adjust(Adjustment.NEAREST_CATEGORY)
                elif len(named) > 1:
                    row.adjust(Adjustment.FIRST_OF_SEVERAL_CATEGORIES)
                return known[name]
    if rules.default_category is None:
        row.refuse(Refusal.NO_CATEGORY)
        return None
    row.adjust(Adjustment.CATEGORY_ASSUMED)
    return rules.default_category


def _price(row: _Row) -> int | None:
    rules, text = row.rules, row.text("price")
    if key(text) in rules.credits:
        return rules.credits[key(text)]
    fee = number(text)
    if fee is not None and fee >= 0:
        for most, price in rules.fee_steps:
            if fee <= most:
                return price
    if rules.default_credits is None:
        row.refuse(Refusal.NO_PRICE)
        return None
    row.adjust(Adjustment.PRICE_ASSUMED)
    return min(rules.default_credits, HIGHEST_PRICE)


def _description(row: _Row) -> str:
    raw = row.cells.get("description", "")
    text = plain_text(raw)
    if re.sub(r"\s+", "", text) != re.sub(r"\s+", "", raw):
        row.adjust(Adjustment.MARKUP_REMOVED)
    if len(text) > LONGEST_DESCRIPTION:
        row.adjust(Adjustment.DESCRIPTION_SHORTENED)
    return shortened(text, LONGEST_DESCRIPTION)
