"""What a company's HR sees: its people, and their use of the pass in sum."""

from datetime import date
from typing import Final
from uuid import UUID

from attrs import field, frozen
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation
from litestar.status_codes import HTTP_200_OK
from litestar.types import ControllerRouterHandler

from nexus.application.identity.hr import ListEmployees, OverviewHr
from nexus.application.identity.leave import RecordLeaver
from nexus.application.identity.views import Employee, HrOverview
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.identity.people import LeftAlready
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import UserId
from nexus.entrypoints.http.calls import LIGHT
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import SENSITIVE, Policy, allow

_BY_NAME: Final = Keyset("employees", str, str, UUID)


_LEAVING: Final = problem_responses(NoSuchThing, LeftAlready, InvalidValue)


@frozen
class Departure:
    """When somebody leaves."""

    last_day: date | None = field(
        default=None,
        metadata={
            "description": "The last day in the company's time zone; left out: at once.",
            "examples": ["2026-03-31"],
        },
    )


class HrController(Controller):
    """A company's own people and figures."""

    path = "/api/v1/hr"
    opt = allow(Policy.HR, keys="employees") | LIGHT
    tags = ("HR",)

    @get("/overview", sync_to_thread=True, opt=SENSITIVE)
    def overview(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        overview_hr: NamedDependency[SkipValidation[OverviewHr]],
    ) -> HrOverview:
        """
        Show how the company uses the pass in the current period.

        Figures about fewer than five families are withheld (null), together with
        what would let them be computed. No child and no activity is named.
        """
        return overview_hr(actor=actor)

    @get("/employees", sync_to_thread=True, opt=SENSITIVE)
    def employees(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        list_employees: NamedDependency[SkipValidation[ListEmployees]],
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[Employee]:
        """List the company's people by name, those who left included; nothing of their families."""
        after = _BY_NAME.after(cursor)
        rows = list_employees(actor=actor, after=after, limit=limit + 1)
        return _BY_NAME.page(
            rows, limit, lambda row: (row.last_name, row.first_name, row.id), lambda row: row
        )

    @post(
        "/employees/{employee_id:uuid}/leave",
        status_code=HTTP_200_OK,
        sync_to_thread=True,
        responses=_LEAVING,
    )
    def leave(
        self,
        *,
        employee_id: FromPath[UserId],
        data: JSONBody[Departure],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        record_leaver: NamedDependency[SkipValidation[RecordLeaver]],
    ) -> Response[Employee]:
        """
        Note that an employee leaves, after a last day or at once.

        Nothing is allocated from then on and the seat is free for somebody else;
        future bookings stand. A departure that lies ahead can be moved.
        """
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            HTTP_200_OK,
            lambda: record_leaver(employee_id, actor=actor, last_day=data.last_day),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [HrController]
