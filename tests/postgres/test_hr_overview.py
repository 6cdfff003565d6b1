"""What HR sees of real bookings: sums, and never a small one."""

from datetime import timedelta
from uuid import uuid4

import pytest

from nexus.adapters.postgres.tenants import PostgresStaff
from nexus.application.identity.hr import OverviewHr
from nexus.application.identity.ports import CreditTotals
from nexus.application.identity.views import CategoryUse
from nexus.domain.identity.people import Role
from nexus.domain.kernel.errors import NoSuchThing
from people import MONDAY, Stage

pytestmark = pytest.mark.postgres
CATEGORIES = ("arts_crafts", "music", "stem")

ADD_VENUE = """
    INSERT INTO venues (id, name, slug, status, timezone, address_line1, city, state, postal_code,
                        latitude, longitude, created_at)
    VALUES (%(venue)s, 'V', 'v', 'active', 'UTC', '1 A St', 'C', 'IL', '1', 0, 0, %(at)s)
"""
ADD_SESSION = """
    WITH activity AS (
        INSERT INTO activities (id, venue_id, name, slug, category, min_age, max_age, duration_minutes,
                                credits_required, capacity_per_session, created_at)
        VALUES (%(activity)s, %(venue)s, %(category)s, %(category)s, %(category)s, 0, 18, 60, 1, 30, %(at)s))
    INSERT INTO activity_sessions (id, activity_id, venue_id, session_date, start_time, end_time, timezone,
                                   time_of_day, starts_at, ends_at, credits_required, total_capacity,
                                   sellable, created_at)
    VALUES (%(session)s, %(activity)s, %(venue)s, '2026-03-20', '10:00', '11:00', 'UTC', 'morning',
            '2026-03-20 10:00+00', '2026-03-20 11:00+00', 1, 30, 30, %(at)s)
"""
ADD_BOOKING = """
    WITH child AS (
        INSERT INTO children (id, parent_id, corporate_id, first_name, date_of_birth, created_at)
        VALUES (%(child)s, %(parent)s, %(company)s, 'Mia', '2019-01-01', %(at)s))
    INSERT INTO bookings (id, session_id, child_id, booked_by, corporate_id, venue_id, status,
                          confirmation_code, source, credits_charged, credit_value_minor, currency, debit_id,
                          starts_at, ends_at, refundable_until, booked_at)
    VALUES (%(booking)s, %(session)s, %(child)s, %(parent)s, %(company)s, %(venue)s, %(status)s,
            %(booking)s::text, 'browse', 1, 500, 'USD', %(booking)s,
            '2026-03-20 10:00+00', '2026-03-20 11:00+00', '2026-03-18 10:00+00', %(at)s)
"""


@pytest.fixture
def stage(begin):
    return Stage(begin)


@pytest.fixture
def book(owner):
    venue, sessions = uuid4(), {}
    owner.execute(ADD_VENUE, {"venue": venue, "at": MONDAY})

    def book(parent, category, *, status="confirmed", at=MONDAY):
        if category not in sessions:
            sessions[category] = uuid4()
            names = {"activity": uuid4(), "session": sessions[category], "venue": venue}
            owner.execute(ADD_SESSION, names | {"category": category, "at": MONDAY})
        owner.execute(
            ADD_BOOKING,
            {
                "booking": uuid4(),
                "session": sessions[category],
                "child": uuid4(),
                "parent": parent.user,
                "company": parent.company,
                "venue": venue,
                "status": status,
                "at": at,
            },
        )

    return book


def overview(stage, actor):
    return OverviewHr(stage.begin, stage.now, CATEGORIES)(actor=actor)


def test_sums_are_shown_and_small_ones_withheld_with_their_complement(begin, stage, book):
    company, other = stage.company(), stage.company("Other")
    for each in (company, other):
        stage.subscription(each, covered=20)
    hr = stage.user(Role.HR_ADMIN, company=company)
    parents = [stage.user(company=company) for _ in range(9)]
    for parent in parents:
        book(parent, "arts_crafts")
        book(parent, "arts_crafts", status="cancelled_parent")
        book(parent, "arts_crafts", at=MONDAY - timedelta(days=30))
    book(stage.user(company=other), "stem")
    view = overview(stage, hr)
    assert (view.people, view.covered_seats, view.credits_allocated) == (10, 20, 80)
    assert (view.bookings, view.credits_used, view.credits_expired) == (9, None, None)
    assert view.bookings_by_category == (
        CategoryUse("arts_crafts", 9),
        CategoryUse("music", None),
        CategoryUse("stem", None),
    )
    for parent in parents[:6]:
        book(parent, "music")
    book(parents[0], "stem")
    view = overview(stage, hr)
    assert view.bookings == 16
    assert [each.bookings for each in view.bookings_by_category] == [9, None, None]


@pytest.mark.parametrize(("families", "shown"), [(4, None), (5, 5)])
def test_used_credits_are_shown_from_five_families_on(begin, stage, owner, families, shown):
    company = stage.company()
    stage.subscription(company, covered=20)
    hr = stage.user(Role.HR_ADMIN, company=company)
    people = [stage.user(company=company) for _ in range(8)]
    owner.execute(
        "UPDATE user_credit_balances SET credits_used = 1, credits_available = credits_available - 1 "
        "WHERE user_id = ANY (%s)",
        [[person.user for person in people[:families]]],
    )
    view = overview(stage, hr)
    assert (view.credits_used, view.credits_expired) == (shown, None)


@pytest.mark.parametrize(
    ("families", "shown"),
    [
        ((5, 0, 5), (7, None)),
        ((4, 5, 5), (None, None)),
        ((5, 5, 5), (7, 3)),
        ((5, 5, 4), (7, None)),
        ((5, 5, 0), (7, 3)),
        ((5, 4, 4), (None, None)),
        ((5, 1, 0), (None, None)),
        ((5, 0, 1), (None, None)),
        ((5, 0, 0), (7, None)),
    ],
)
def test_what_is_left_of_the_given_credits_tells_on_nobody(stage, monkeypatch, families, shown):
    using, expiring, left = families
    hr = stage.user(Role.HR_ADMIN, company=stage.company())
    totals = CreditTotals(
        allocated=40, used=7, expired=3, families_using=using, families_expiring=expiring, families_left=left
    )
    monkeypatch.setattr(PostgresStaff, "credit_totals", lambda *_, **__: totals)
    view = overview(stage, hr)
    assert (view.credits_used, view.credits_expired) == shown


def test_a_company_without_a_subscription_has_an_empty_overview(begin, stage):
    company = stage.company()
    view = overview(stage, stage.user(Role.HR_ADMIN, company=company))
    assert (view.people, view.covered_seats, view.period_start, view.bookings) == (1, None, None, None)
    with pytest.raises(NoSuchThing):
        overview(stage, stage.user(Role.PLATFORM_ADMIN))
