"""What a company's HR sees: its people, and their use of the pass in sum."""

from typing import Final
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.identity.hr import ListEmployees, OverviewHr
from nexus.application.identity.views import Employee, HrOverview
from nexus.application.kernel.actor import Actor
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow

_BY_NAME: Final = Keyset("employees", str, str, UUID)


class HrController(Controller):
    """A company's own people and figures."""

    path = "/api/v1/hr"
    opt = allow(Policy.HR)
    tags = ("HR",)

    @get("/overview", sync_to_thread=True)
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

    @get("/employees", sync_to_thread=True)
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


HANDLERS: Final[list[ControllerRouterHandler]] = [HrController]
