"""What requests must hold to succeed, where the schema does not say it."""

from collections.abc import Mapping
from typing import Final

from tests.matrix.judge import Wants
from tests.support.office import PASSWORD

A = "/api/v1"

WANTS: Final[Mapping[str, Wants]] = {
    f"GET {A}/admin/audit/{{entry_id}}": Wants({"entry_id": "of the log"}),
    f"POST {A}/admin/audit/{{entry_id}}/open": Wants({"entry_id": "sealed"}, opens=True),
    f"POST {A}/admin/subscriptions": Wants(
        {"company_id": "without subscription"}, {"monthly_cost": {"minor": 100, "currency": "USD"}}
    ),
    f"POST {A}/admin/users": Wants(body={"company_id": lambda world: world.ids["company_id"]["A"]}),
    f"POST {A}/admin/users/{{user_id}}/enable": Wants({"user_id": "disabled"}),
    f"POST {A}/admin/venues/{{venue_id}}/approve": Wants({"venue_id": "applying"}),
    f"POST {A}/admin/venues/{{venue_id}}/reject": Wants({"venue_id": "applying"}),
    f"POST {A}/me/password": Wants(
        body={"current_password": PASSWORD, "new_password": "a very long sentence about nothing"}
    ),
    f"POST {A}/me/second-factor/confirm": Wants(refused=frozenset({"nothing-to-confirm"})),
    f"POST {A}/me/second-factor/recovery-codes": Wants(refused=frozenset({"no-second-factor"})),
    f"POST {A}/me/second-factor/remove": Wants(
        refused=frozenset({"no-second-factor", "second-factor-stays"})
    ),
    f"POST {A}/me/api-keys": Wants(body={"scopes": lambda _: ["read:activities"]}),
    f"POST {A}/sessions/{{session_id}}/waitlist": Wants({"session_id": "full"}),
    f"POST {A}/venue/bookings/{{booking_id}}/attendance": Wants({"booking_id": "started"}),
    f"POST {A}/venue/bookings/{{booking_id}}/confirm": Wants({"booking_id": "pending"}),
    f"POST {A}/venue/bookings/{{booking_id}}/reject": Wants({"booking_id": "pending"}),
    f"POST {A}/waitlist/{{entry_id}}/accept": Wants({"entry_id": "offered"}),
    f"POST {A}/waitlist/{{entry_id}}/decline": Wants({"entry_id": "offered"}),
}
