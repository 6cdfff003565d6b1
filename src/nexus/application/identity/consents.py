"""Give and withdraw consent, purpose by purpose."""

from collections.abc import Mapping

from attrs import frozen

from nexus.application.identity.ports import FamilyWork, StandDown
from nexus.application.identity.sealing import kept, opened, told
from nexus.application.identity.views import ConsentEntry, Consents
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.application.kernel.vault import Vault
from nexus.domain.compliance.audit import Action
from nexus.domain.compliance.consent import ConsentMethod, ConsentRecord, Purpose, standing
from nexus.domain.compliance.events import ConsentChanged
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import ChildId, EventId


def _view(child: ChildId, history: list[ConsentRecord]) -> Consents:
    live = standing(history)
    return Consents(
        child=child,
        standing=tuple(purpose for purpose in Purpose if purpose in live),
        history=tuple(
            ConsentEntry(
                id=record.id,
                purpose=record.purpose,
                given=record.given,
                text_version=record.text_version,
                method=record.method,
                recorded_at=record.recorded_at,
            )
            for record in history
        ),
    )


@frozen
class RecordConsent:
    """
    Add decisions to a child's history; what follows from them takes effect at once.

    Without consent to book, the child gives up every future place and stops waiting.
    """

    begin: Begin[FamilyWork]
    now: Clock
    new_id: NewId
    vault: Vault
    stand_down: StandDown

    def __call__(
        self,
        child: ChildId,
        decisions: Mapping[Purpose, bool],
        *,
        actor: Actor,
        text_version: str,
        method: ConsentMethod,
        evidence: Mapping[str, str] | None = None,
    ) -> Consents:
        """
        What stands then, with the history.

        Raises:
            InvalidValue: Nothing was decided, or the version of the text is unusable.
            NoSuchThing: Not a child of whoever asks.
        """
        if not decisions:
            raise InvalidValue("decisions", "must name a purpose")
        at = self.now()
        with self.begin() as work:
            found = work.children.lock(child, parent=actor.user)
            if found is None:
                raise NoSuchThing("child")
            # A withdrawal of data_collection ends the others: what is given in the same breath counts.
            ordered = sorted(decisions.items(), key=lambda each: (each[1], list(Purpose).index(each[0])))
            work.consents.append(
                [
                    ConsentRecord(
                        id=self.new_id(),
                        child=child,
                        parent=actor.user,
                        purpose=purpose,
                        given=given,
                        text_version=text_version,
                        method=method,
                        evidence=dict(evidence or {}),
                        recorded_at=at,
                    )
                    for purpose, given in ordered
                ]
            )
            history = list(work.consents.of(child, parent=actor.user))
            before, live = found.consents, standing(history)
            told(
                work,
                Action.CONSENT_RECORDED,
                child,
                key=found.key,
                vault=self.vault,
                new_id=self.new_id,
                at=at,
                old={"standing": before},
                new={"standing": live, "text_version": text_version, "method": method},
            )
            if live != before:
                changed = opened(found, self.vault).consented(
                    live, may_be_kept=Purpose.DATA_COLLECTION in live
                )
                work.children.save(kept(changed, found))
                work.outbox.add(
                    ConsentChanged(
                        id=EventId(self.new_id()),
                        at=at,
                        child=child,
                        parent=actor.user,
                        given=tuple(sorted(live - before)),
                        withdrawn=tuple(sorted(before - live)),
                    )
                )
                if Purpose.ACTIVITY_BOOKING in before and Purpose.ACTIVITY_BOOKING not in live:
                    self.stand_down(work, child, parent=actor.user, reason="consent_withdrawn", at=at)
        return _view(child, history)


@frozen
class ListConsents:
    """A child's history of consent and what stands of it."""

    begin: Begin[FamilyWork]

    def __call__(self, child: ChildId, *, actor: Actor) -> Consents:
        """
        Raises:
            NoSuchThing: Not a child of whoever asks.
        """
        with self.begin() as work:
            if work.children.get(child, parent=actor.user) is None:
                raise NoSuchThing("child")
            history = list(work.consents.of(child, parent=actor.user))
        return _view(child, history)
