"""What becomes of one row, at the edge of each rule."""

from datetime import date, time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nexus.adapters.catalogue_files.profiles import FIELDS, load_profile
from nexus.domain.catalogue.activities import Category
from nexus.domain.catalogue.import_values import calendar_date, wall_time, weekdays, whole
from nexus.domain.catalogue.imports import ALWAYS, Adjustment, Refusal, judge
from nexus.domain.catalogue.plain_text import plain_text, shortened

RULES = load_profile("chicago").rules
STEM = Category.STEM
FINE = {
    "id": "7",
    "name": "Soccer at Elm",
    "description": "Ball games.",
    "organisation": "Parks",
    "categories": "Nature",
    "min_age": "6",
    "max_age": "10",
    "capacity": "12",
    "meeting_type": "face_to_face",
    "address": "1 Elm St.",
    "city": "Chicago",
    "state": "IL",
    "postal_code": "60601",
    "latitude": "41.9",
    "longitude": "-87.6",
    "start_date": "2021-06-28",
    "end_date": "2021-08-06",
    "start_time": "09:00",
    "end_time": "10:30",
    "price": "Free",
}


def of(**changes):
    return judge({**FINE, **changes}, RULES)


def test_a_fine_row_becomes_a_weekly_programme_on_the_weekday_of_its_first_date():
    verdict = of()
    programme = verdict.programme
    assert programme is not None
    assert (programme.category, programme.credits, programme.capacity) == (Category.NATURE, 1, 12)
    assert programme.meetings.days == {1}
    assert programme.meetings.duration_minutes == 90
    assert set(verdict.adjustments) <= ALWAYS


def test_one_day_is_a_single_session():
    programme = of(end_date="2021-06-28").programme
    assert programme is not None
    assert programme.meetings.is_single


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": " "}, Refusal.NO_ID),
        ({"name": "<p> </p>"}, Refusal.NO_NAME),
        ({"name": "Adult Swim at Elm"}, Refusal.NOT_FOR_CHILDREN),
        ({"min_age": "18", "max_age": "99"}, Refusal.ADULTS_ONLY),
        ({"min_age": ""}, Refusal.NO_AGES),
        ({"min_age": "six"}, Refusal.NO_AGES),
        ({"max_age": "ten"}, Refusal.NO_AGES),
        ({"min_age": "-1"}, Refusal.NO_AGES),
        ({"max_age": "5"}, Refusal.AGES_REVERSED),
        ({"meeting_type": "Online"}, Refusal.ONLINE),
        ({"address": ""}, Refusal.NO_PLACE),
        ({"latitude": ""}, Refusal.NO_PLACE),
        ({"latitude": "0", "longitude": "0"}, Refusal.NO_PLACE),
        ({"latitude": "91"}, Refusal.NO_PLACE),
        ({"longitude": "nan"}, Refusal.NO_PLACE),
        ({"postal_code": ""}, Refusal.NO_PLACE),
        ({"start_date": ""}, Refusal.NO_DATES),
        ({"start_date": "2021-02-30"}, Refusal.NO_DATES),
        ({"end_date": "soon"}, Refusal.NO_DATES),
        ({"end_date": "9999-12-31"}, Refusal.NO_DATES),
        ({"end_date": "2021-06-27"}, Refusal.DATES_REVERSED),
        ({"start_time": ""}, Refusal.NO_START_TIME),
        ({"start_time": "9"}, Refusal.NO_START_TIME),
        ({"start_time": "25:00"}, Refusal.NO_START_TIME),
        ({"end_time": ""}, Refusal.NO_END_TIME),
        ({"end_time": "09:00"}, Refusal.END_NOT_AFTER_START),
        ({"end_time": "03:00"}, Refusal.END_NOT_AFTER_START),
        ({"days": "Someday"}, Refusal.NO_SUCH_DAY),
        ({"days": "Sunday", "end_date": "2021-07-03"}, Refusal.NEVER_TAKES_PLACE),
        ({"capacity": ""}, Refusal.NO_CAPACITY),
        ({"capacity": "0"}, Refusal.NO_CAPACITY),
        ({"capacity": "-3"}, Refusal.NO_CAPACITY),
    ],
)
def test_refused_with_its_reason(changes, reason):
    assert of(**changes).refusals == (reason,)


@pytest.mark.parametrize(
    ("changes", "what", "value"),
    [
        ({"max_age": "19"}, Adjustment.MAX_AGE_CLAMPED, lambda p: p.max_age == 18),
        ({"min_age": "17", "max_age": "99"}, Adjustment.MAX_AGE_CLAMPED, lambda p: p.min_age == 17),
        ({"max_age": ""}, Adjustment.MAX_AGE_OPEN, lambda p: p.max_age == 18),
        ({"min_age": "0", "max_age": "0"}, Adjustment.AGES_NOT_STATED, lambda p: p.max_age == 18),
        ({"capacity": "500"}, Adjustment.CAPACITY_CLAMPED, lambda p: p.capacity == 100),
        ({"categories": "Law|Science"}, Adjustment.FIRST_OF_SEVERAL_CATEGORIES, lambda p: p.category is STEM),
        ({"categories": "Academic Support"}, Adjustment.NEAREST_CATEGORY, lambda p: p.category == "reading"),
        ({"categories": "Falconry"}, Adjustment.CATEGORY_ASSUMED, lambda p: p.category == "arts_crafts"),
        ({"price": "Unknown"}, Adjustment.PRICE_ASSUMED, lambda p: p.credits == 2),
        ({"city": ""}, Adjustment.PLACE_COMPLETED, lambda p: p.place.city == "Chicago"),
        ({"name": "x" * 256}, Adjustment.NAME_SHORTENED, lambda p: len(p.name) <= 255),
        ({"description": "<p>A &amp; B</p>"}, Adjustment.MARKUP_REMOVED, lambda p: p.description == "A & B"),
        ({"description": "y " * 10_001}, Adjustment.DESCRIPTION_SHORTENED, lambda p: "…" in p.description),
        ({}, Adjustment.WEEKDAY_FROM_START_DATE, lambda p: p.meetings.days == {1}),
    ],
)  # fmt: skip
def test_adjusted_and_says_so(changes, what, value):
    verdict = of(**changes)
    assert verdict.programme is not None
    assert what in verdict.adjustments
    assert value(verdict.programme)


@pytest.mark.parametrize(
    "same",
    [
        {"start_time": "9:00 AM", "end_time": "10:30 am"},
        {"start_time": "09:00:00", "end_time": "10:30:00"},
        {"start_date": "6/28/2021", "end_date": "08/06/2021"},
        {
            "start_date": "2021-06-28T09:00:00",
            "start_time": "",
            "end_date": "2021-08-06 10:30",
            "end_time": "",
        },
        {"start_date": "June 28, 2021", "end_date": "6 Aug 2021"},
        {"min_age": "6.0", "max_age": "10.0", "capacity": "12.0", "postal_code": "60601.0"},
        {"state": "Illinois", "price": " free "},
        {"name": " Soccer\r\n at\x00 Elm "},
    ],
)
def test_another_way_to_write_the_same_is_the_same(same):
    one, other = of().programme, of(**same).programme
    assert one is not None
    assert other is not None
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize("name", sorted(FINE.keys() - {"id", "meeting_type", "state", "description"}))
def test_what_differs_has_another_fingerprint(name):
    different = {
        "start_date": "2021-06-29", "end_date": "2021-08-07", "start_time": "08:00", "end_time": "11:00",
        "min_age": "5", "max_age": "11", "capacity": "13", "price": "More Than $50", "categories": "Food",
        "latitude": "41.8", "longitude": "-87.5",
    }.get(name, "other")  # fmt: skip
    one, other = of().programme, of(**{name: different}).programme
    assert one is not None
    assert other is not None
    assert one.fingerprint != other.fingerprint


WORDS = st.sampled_from([
    "", "0", "18", "25.0", "-1", "1e9", "9" * 30, "2021-06-28", "13/13/2021", "00:00", "9:00 PM", "24:00",
    "٣", "<p", "&#0;",
    "<![if", "NaN", "\x00", "|", "Online", "=1+1", "\ud800",
])  # fmt: skip


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text() | WORDS))
@example({"description": "<![x"})
def test_no_row_ever_stops_an_import(cells):
    verdict = judge({**FINE, **cells}, RULES)
    assert bool(verdict.refusals) is (verdict.programme is None)
    if verdict.programme is not None:
        p = verdict.programme
        assert 0 <= p.min_age <= p.max_age <= 18
        assert p.min_age < 18
        assert p.capacity > 0
        assert p.meetings.duration_minutes > 0
        assert len(p.teaser) <= 150
        assert "\x00" not in p.name + p.description


@given(st.dates(date(1970, 1, 1)))
def test_a_date_is_read_back_in_each_notation(day):
    for pattern in ("%Y-%m-%d", "%m/%d/%Y", "%B %d, %Y", "%d %b %Y", "%Y%m%d", "%Y-%m-%dT00:00:00"):
        written = day.strftime(pattern).replace(day.strftime("%Y"), f"{day.year:04}")
        assert calendar_date(written) == day, pattern
    assert calendar_date(day.strftime("%d.%m.") + f"{day.year:04}", day_first=True) == day


@given(st.times())
def test_a_time_is_read_back_in_each_notation(at):
    for pattern in (
        "%H:%M",
        "%H:%M:%S",
        "%I:%M %p",
        "%I:%M%p",
        "2021-06-28T%H:%M:%S",
        "6/28/2021 %I:%M:%S %p",
    ):
        assert wall_time(at.strftime(pattern)) == time(at.hour, at.minute), pattern


@given(st.text() | WORDS)
def test_readers_of_values_never_raise(text):
    for read in (calendar_date, wall_time, weekdays, whole, plain_text):
        read(text)
    assert len(shortened(text, 10)) <= 10


def test_html_becomes_lines_of_text_and_plain_text_keeps_its_signs():
    assert (
        plain_text("<p>One &ldquo;two&rdquo;</p>\r\n<ul><li>a</li></ul><script>x()</script>")
        == "One “two”\n\na"
    )
    assert plain_text("ages 3 < 5 & up") == "ages 3 < 5 & up"
