"""What parents consent to for a child, purpose by purpose."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import asdict, field, frozen, validators
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.identity.consents import ListConsents, RecordConsent
from nexus.application.identity.views import ConsentEntry, Consents
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.caller import caller
from nexus.application.kernel.ports import Begin
from nexus.domain.compliance.consent import ConsentMethod, Purpose
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import ChildId
from nexus.entrypoints.http.calls import LIGHT
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.unset import UNSET, Unset, given

_LONGEST_AGENT: Final = 500


@frozen(kw_only=True)
class Decisions:
    """true gives consent, false withdraws it; purposes left out stay as they are."""

    data_collection: bool | Unset = field(
        default=UNSET,
        metadata={"description": "Keep the child's data at all. Withdrawn, all other consents end too."},
    )
    data_processing: bool | Unset = UNSET
    activity_booking: bool | Unset = field(
        default=UNSET,
        metadata={"description": "Book for the child. Withdrawn, its future places are given up."},
    )
    photo_sharing: bool | Unset = UNSET
    medical_sharing: bool | Unset = field(
        default=UNSET, metadata={"description": "Show medical notes to venues where the child is booked."}
    )
    coworker_matching: bool | Unset = UNSET
    ai_personalisation: bool | Unset = UNSET

    def by_purpose(self) -> dict[Purpose, bool]:
        """What was decided."""
        return {Purpose(name): value for name, value in given(**asdict(self)).items()}


@frozen(kw_only=True)
class ConsentDecision:
    """What a parent decides, and about which text."""

    decisions: Decisions = field(
        metadata={
            "description": "One purpose at least.",
            "examples": [{"data_collection": True, "activity_booking": True}],
        }
    )
    text_version: str = field(
        validator=[validators.min_len(1), validators.max_len(20)],
        metadata={"description": "Which version of the text was shown.", "examples": ["2026-01"]},
    )
    method: ConsentMethod = ConsentMethod.CHECKBOX


@frozen(kw_only=True)
class ConsentsView:
    """What stands, and how it came to."""

    child_id: ChildId
    standing: list[Purpose] = field(metadata={"description": "What may be acted on now."})
    history: list[ConsentEntry] = field(metadata={"description": "Every decision, the first one first."})

    @classmethod
    def of(cls, consents: Consents) -> "ConsentsView":
        return cls(child_id=consents.child, standing=list(consents.standing), history=list(consents.history))


def _evidence(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """Where a decision came from, as the connection shows it; nobody can state it."""
    found = {"user_agent": request.headers.get("user-agent", "")[:_LONGEST_AGENT].replace("\x00", "")}
    if (address := caller.get().address) is not None:
        found["ip"] = address
    return found


class ConsentController(Controller):
    """Consents for a parent's own child."""

    path = "/api/v1/children/{child_id:uuid}/consents"
    opt = allow(Policy.FAMILY) | LIGHT
    tags = ("Children",)

    @get("/", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def browse(
        self,
        *,
        child_id: FromPath[ChildId],
        actor: NamedDependency[SkipValidation[Actor]],
        list_consents: NamedDependency[SkipValidation[ListConsents]],
    ) -> ConsentsView:
        """Show what a parent consents to for a child, with every decision so far."""
        return ConsentsView.of(list_consents(child_id, actor=actor))

    @post("/", sync_to_thread=True, responses=problem_responses(NoSuchThing, InvalidValue))
    def decide(
        self,
        *,
        child_id: FromPath[ChildId],
        data: JSONBody[ConsentDecision],
        request: Request[Any, Any, Any],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        record_consent: NamedDependency[SkipValidation[RecordConsent]],
    ) -> Response[ConsentsView]:
        """
        Give or withdraw consent; what follows takes effect at once.

        Address and program of the request are kept as evidence.
        """
        evidence = _evidence(request)
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            201,
            lambda: ConsentsView.of(
                record_consent(
                    child_id,
                    data.decisions.by_purpose(),
                    actor=actor,
                    text_version=data.text_version,
                    method=data.method,
                    evidence=evidence,
                )
            ),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [ConsentController]
