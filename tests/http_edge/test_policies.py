"""Nobody uses a route that is not for them, and no route is without a policy."""

import pytest
from litestar import get
from litestar.exceptions import ImproperlyConfiguredException

from http_edge.conftest import PARENT
from http_edge.test_problems import problem
from http_edge.test_wire import GOOD
from http_edge.toy import toy
from nexus.domain.identity.people import Role
from nexus.entrypoints.http.policies import Policy

ADMITTED = {
    Policy.PUBLIC: set(Role),
    Policy.SIGNED_IN: set(Role),
    Policy.FAMILY: {Role.PARENT, Role.HR_ADMIN},
    Policy.VENUE: {Role.VENUE_ADMIN},
    Policy.HR: {Role.HR_ADMIN},
    Policy.STAFF: {Role.HR_ADMIN, Role.VENUE_ADMIN, Role.PLATFORM_ADMIN},
    Policy.ADMIN: {Role.PLATFORM_ADMIN},
}


def test_a_route_without_a_policy_stops_the_start():
    @get("/forgotten", sync_to_thread=True)
    def forgotten() -> None: ...

    with pytest.raises(ImproperlyConfiguredException, match="/forgotten"):
        toy(forgotten)


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("role", Role)
def test_each_policy_admits_its_roles_and_no_other(shared, policy, role):
    answer = shared.get(f"/for/{policy.name}", headers={"authorization": f"Bearer {role.value}"})
    if role in ADMITTED[policy]:
        assert answer.status_code == 200
    else:
        assert problem(answer, 403, "not-for-this-role")["role"] == role.value


@pytest.mark.parametrize("policy", set(Policy) - {Policy.PUBLIC})
def test_whoever_is_not_signed_in_is_told_to(shared, policy):
    answer = shared.get(f"/for/{policy.name}")
    problem(answer, 401, "sign-in-required")
    assert answer.headers["www-authenticate"] == "Bearer"
    problem(shared.get(f"/for/{policy.name}", headers={"authorization": "Bearer gone"}), 401, "session-ended")


@pytest.mark.parametrize("name", ["nexus_session", "__Host-nexus_session"])
def test_a_cookie_signs_in_too(shared, name):
    assert shared.get("/for/HR", headers={"cookie": f"{name}=hr_admin"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 201),
        ({"origin": "http://testserver.local"}, 201),
        ({"origin": "https://testserver.local"}, 201),
        ({"origin": "http://testserver.local:8080"}, 403),
        ({"origin": "http://testserver.local.evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"sec-fetch-site": ""}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://testserver.local"}, 403),
        ({}, 403),
    ],
)
def test_a_browser_cannot_be_made_to_act_by_another_site(client, headers, status):
    cookie = {"cookie": "nexus_session=parent", **headers}
    assert client.post("/api/v1/paintings", json=GOOD, headers=cookie).status_code == status
    token = {**PARENT, **headers}
    assert client.post("/api/v1/paintings", json=GOOD, headers=token).status_code == 201


def test_a_public_route_may_recognise_who_asks(shared):
    assert shared.get("/whoami").json() == {"role": None}
    assert shared.get("/whoami", headers={"authorization": "Bearer gone"}).json() == {"role": None}
    assert shared.get("/whoami", headers=PARENT).json() == {"role": "parent"}


def test_nobody_sees_what_is_wrong_with_a_body_before_signing_in(shared):
    problem(shared.post("/api/v1/paintings", content=b"nonsense"), 401, "sign-in-required")


def test_nobody_sees_what_is_wrong_with_a_query_before_they_may_ask(shared):
    path = "/api/v1/paintings?nonsense=1"
    problem(shared.get(path), 401, "sign-in-required")
    problem(shared.get(path, headers={"authorization": "Bearer venue_admin"}), 403, "not-for-this-role")
    problem(shared.get(path, headers=PARENT), 400, "invalid-parameters")


def test_options_names_the_methods(shared):
    answer = shared.options("/api/v1/paintings")
    assert answer.status_code == 204
    assert "GET" in answer.headers["allow"]
