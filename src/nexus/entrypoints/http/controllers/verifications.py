"""What the checks of the data found, for the platform's administration."""

from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import field, frozen
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.platform.verify_data import ListVerifications, Verification
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow

_BY_TIME: Final = Keyset("verifications", datetime, UUID)


@frozen(kw_only=True)
class FindingView:
    """A promise about the data that rows break."""

    promise: str = field(
        metadata={"description": "Its number, as `nexus verify` states it.", "examples": ["I5a"]}
    )
    rows: int = field(metadata={"description": "Rows that break it; counted up to 100."})


@frozen(kw_only=True)
class VerificationView:
    """One run of all checks."""

    id: UUID
    at: datetime
    seconds: float = field(metadata={"description": "How long it took."})
    checked: int = field(metadata={"description": "Promises that were checked."})
    findings: list[FindingView] = field(metadata={"description": "The promises that do not hold."})

    @classmethod
    def of(cls, run: Verification) -> "VerificationView":
        broken = {number: rows for number, rows in run.findings.items() if rows}
        return cls(
            id=run.id,
            at=run.at,
            seconds=round(run.seconds, 3),
            checked=len(run.findings),
            findings=[FindingView(promise=number, rows=rows) for number, rows in sorted(broken.items())],
        )


class VerificationController(Controller):
    """What the hourly checks of the data found."""

    path = "/api/v1/admin/verifications"
    opt = allow(Policy.ADMIN)
    tags = ("Administration",)

    @get("/", sync_to_thread=True)
    def runs(
        self,
        *,
        list_verifications: NamedDependency[SkipValidation[ListVerifications]],
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[VerificationView]:
        """List the runs of the checks of the last 90 days, the newest first; `nexus verify` shows the rows."""
        found = list_verifications(after=_BY_TIME.after(cursor), limit=limit + 1)
        return _BY_TIME.page(found, limit, lambda run: (run.at, run.id), VerificationView.of)


HANDLERS: Final[list[ControllerRouterHandler]] = [VerificationController]
