"""The whole product over a real database: people sign in with passwords and use nothing but the API."""

from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
from attrs import define, field
from litestar.testing import TestClient

from nexus.adapters.system.chance import new_id
from nexus.application.identity.create_user import CreateUser, NewUser
from nexus.domain.identity.people import Role
from nexus.entrypoints.wiring import Nexus
from tests.support.front import V1, Setting
from tests.support.passwords import QUICK
from tests.support.recorded import assert_recorded
from tests.support.truth import Document

PASSWORD = "correct horse battery staple"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@define
class Office:
    """
    A client of the API without a memory of its own: who asks is said each time, by token.

    Every answer is held to the OpenAPI document.
    """

    client: TestClient[Any]
    nexus: Nexus
    clock: Setting
    owner: psycopg.Connection
    document: Document
    admin: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        # The first administrator comes from the command line; everybody else through the API.
        CreateUser(self.nexus.begin, self.clock, new_id, QUICK)(
            NewUser(
                email="root@nexus.example",
                role=Role.PLATFORM_ADMIN,
                first_name="Ro",
                last_name="Ot",
                password=PASSWORD,
            )
        )
        self.ask_for_second_factors()
        self.admin = self.token("root@nexus.example")

    def ask_for_second_factors(self, *roles: str) -> None:
        """Say whose sign-in takes a second factor: nobody's, where that is not what a test is about."""
        with self.nexus.begin() as work:
            [root] = self.owner.execute("SELECT id FROM users WHERE email = 'root@nexus.example'").fetchall()
            work.settings.change(
                {"second_factor_required_roles": list(roles)}, effective_from=LONG_AGO, by=root[0]
            )

    def send(
        self, who: str | None, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """A request of somebody; header names are written with underscores."""
        self.client.cookies.clear()
        stated = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            stated["authorization"] = f"Bearer {who}"
        answer = self.client.request(
            method, V1 + path, headers=stated, **({} if body is None else {"json": body})
        )
        self.document.hold(answer)
        assert_recorded(self.client.app, self.owner, method, V1 + path, answer)
        return answer

    def get(self, who: str | None, path: str, **headers: str) -> httpx.Response:
        return self.send(who, "GET", path, **headers)

    def post(self, who: str | None, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.send(who, "POST", path, body, **headers)

    def made(self, who: str, path: str, body: Any) -> Any:
        """The answer to a command that worked."""
        answer = self.post(who, path, body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def sign_in(self, email: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
        body = {"email": email, "password": password, "remember": True, **more}
        return self.post(None, "/auth/sign-in", body)

    def token(self, email: str) -> str:
        answer = self.sign_in(email)
        assert answer.status_code == 200, answer.text
        found: str = answer.json()["token"]
        return found

    def company(self, name: str = "Acme", *, seats: int = 50) -> str:
        """The id of a company with a running subscription of 8 credits for each employee."""
        company = self.made(self.admin, "/admin/companies", company_body(name))["id"]
        self.made(self.admin, "/admin/subscriptions", subscription_body(company, covered_employees=seats))
        found: str = company
        return found

    def joins(self, company: str | None, email: str, *, role: str = "parent", **more: Any) -> str:
        """The token of somebody who joined and signed in."""
        self.made(self.admin, "/admin/users", user_body(email, role, company_id=company, **more))
        return self.token(email)

    def child(self, parent: str, **more: Any) -> str:
        """The id of a child that may be booked for."""
        found: str = self.made(parent, "/children", child_body(**more))["id"]
        self.made(parent, f"/children/{found}/consents", consent_body(activity_booking=True))
        return found

    def pages(self, who: str, path: str, *, within: str | None = None) -> list[Any]:
        """Every row of a list, two at a time, following the cursors."""
        rows: list[Any] = []
        cursor = ""
        while True:
            answer = self.get(who, f"{path}{'&' if '?' in path else '?'}limit=2{cursor}")
            assert answer.status_code == 200, answer.text
            page = answer.json()[within] if within else answer.json()
            assert len(page["items"]) <= 2
            rows += page["items"]
            if page["next_cursor"] is None:
                return rows
            cursor = f"&cursor={page['next_cursor']}"


def company_body(name: str = "Acme", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "time_zone": "America/Chicago",
        "contact_name": "Kim Berg",
        "contact_email": "kim@acme.example",
        "contract_start": "2026-01-01",
        **more,
    }


def subscription_body(company: str, **more: Any) -> dict[str, Any]:
    return {
        "company_id": company,
        "tier": "standard",
        "covered_employees": 50,
        "credits_per_employee": 8,
        "monthly_cost": {"minor": 100_00, "currency": "USD"},
        "billing_day": 1,
        "start_date": "2026-01-01",
        **more,
    }


def user_body(email: str, role: str = "parent", **more: Any) -> dict[str, Any]:
    return {
        "email": email,
        "role": role,
        "first_name": "Ada",
        "last_name": "Lind",
        "password": PASSWORD,
        **more,
    }


def child_body(**more: Any) -> dict[str, Any]:
    return {"first_name": "Mia", "date_of_birth": "2018-05-17", **more}


def consent_body(*, data_collection: bool = True, **decisions: bool) -> dict[str, Any]:
    return {
        "decisions": {"data_collection": data_collection, **decisions},
        "text_version": "2026-01",
        "method": "checkbox",
    }


def venue_body(name: str = "The Barn", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "time_zone": "America/Chicago",
        "place": {
            "address_line1": "1 Main St",
            "city": "Chicago",
            "state": "IL",
            "postal_code": "60601",
            "latitude": 41.88,
            "longitude": -87.63,
        },
        **more,
    }
