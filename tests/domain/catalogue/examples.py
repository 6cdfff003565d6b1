"""One venue and one activity that tests vary."""

from datetime import UTC, date, datetime
from uuid import UUID

from nexus.domain.catalogue.activities import Activity, Category
from nexus.domain.catalogue.places import Place
from nexus.domain.catalogue.venues import Insurance, Venue

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
VENUE = Venue(
    id=UUID(int=1),
    name="Lakeside",
    slug="lakeside",
    place=Place(
        address_line1="1 Lake St",
        city="Chicago",
        state="IL",
        postal_code="60601",
        latitude=41.88,
        longitude=-87.63,
    ),
    time_zone="America/Chicago",
    insurance=Insurance(100_000_000, date(2026, 3, 2)),
    background_check_completed=True,
    safety_audit_completed=True,
    created_at=CREATED,
)
ACTIVITY = Activity(
    id=UUID(int=2),
    venue=VENUE.id,
    name="Clay",
    slug="clay",
    category=Category.ARTS_CRAFTS,
    min_age=5,
    max_age=9,
    duration_minutes=60,
    credits_required=4,
    capacity_per_session=10,
    created_at=CREATED,
)
