"""Venues that offer something, by the API alone."""

from typing import Any

from attrs import define

from tests.support.office import Office, user_body, venue_body

CHICAGO = {"latitude": 41.88, "longitude": -87.63}


@define
class Stall:
    """A venue that families may book at, and the token of whoever runs it."""

    office: Office
    id: str
    token: str

    def offers(self, name: str = "Clay", **more: Any) -> str:
        """The id of a published activity."""
        found: str = self.office.made(self.token, "/venue/activities", activity_body(name, **more))["id"]
        return found

    def plans(self, activity: str, **more: Any) -> str:
        """The id of a session."""
        found: str = self.office.made(self.token, "/venue/sessions", session_body(activity, **more))["id"]
        return found

    def has(self, name: str = "Clay", *, session: dict[str, Any] | None = None, **more: Any) -> str:
        """The id of a published activity with a session."""
        activity = self.offers(name, **more)
        self.plans(activity, **session or {})
        return activity


def stall(
    office: Office, name: str = "The Barn", *, insured_until: str = "2027-01-01", **place: Any
) -> Stall:
    body = venue_body(
        name,
        insurance={"coverage_minor": 100_000_000, "expires_on": insured_until},
        background_check_completed=True,
        safety_audit_completed=True,
    )
    body["place"] |= place
    venue = office.made(office.admin, "/admin/venues", body)["id"]
    office.made(office.admin, f"/admin/venues/{venue}/approve", {})
    email = f"val@{venue}.example"
    office.made(office.admin, "/admin/users", user_body(email, "venue_admin", venue_id=venue))
    return Stall(office, venue, office.token(email))


def activity_body(name: str = "Clay", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "category": "arts_crafts",
        "min_age": 5,
        "max_age": 9,
        "duration_minutes": 60,
        "credits_required": 4,
        "capacity_per_session": 10,
        "is_published": True,
        **more,
    }


def session_body(activity: str, **more: Any) -> dict[str, Any]:
    return {
        "activity_id": activity,
        "session_date": "2026-03-10",
        "start_time": "10:00",
        "end_time": "11:00",
        **more,
    }


def schedule_body(activity: str, **more: Any) -> dict[str, Any]:
    return {
        "activity_id": activity,
        "days_of_week": [2, 4],
        "start_time": "16:30",
        "effective_from": "2026-03-01",
        **more,
    }
