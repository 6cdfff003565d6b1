"""A parent's own children: register, show, change."""

from collections.abc import Callable
from datetime import date, datetime

from attrs import asdict, frozen

from nexus.application.identity.ports import FamilyWork, StandDown, StoredChild
from nexus.application.identity.sealing import kept, opened, sealed, told, viewed
from nexus.application.identity.views import ChildView
from nexus.application.identity.wishes import in_the_catalogues_words
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.application.kernel.vault import Vault, place_of_key
from nexus.domain.compliance.audit import Action, changes
from nexus.domain.compliance.consent import Purpose
from nexus.domain.identity.families import Child, ChildProfile, ChildStatus
from nexus.domain.kernel.errors import NoSuchThing, VersionMismatch
from nexus.domain.kernel.ids import ChildId
from nexus.domain.kernel.time import local_date


def _today(work: FamilyWork, actor: Actor, at: datetime) -> date:
    me = work.accounts.me(actor.user)
    if me is None:
        raise NoSuchThing("user")
    return local_date(at, me.time_zone)


def _key(work: FamilyWork, child: Child, stored: StoredChild, vault: Vault, *, at: datetime) -> bytes | None:
    """The child's key, made when there is something to seal and none yet."""
    if stored.key is not None or child.profile.medical_notes is None:
        return stored.key
    return work.child_keys.give(child.id, vault.new_key(context=place_of_key(child.id)), at=at)


@frozen
class AddChild:
    """Register a child as a draft: consent makes it active."""

    begin: Begin[FamilyWork]
    now: Clock
    new_id: NewId
    vault: Vault

    def __call__(self, profile: ChildProfile, *, actor: Actor) -> ChildView:
        """
        Raises:
            NotAChild: Not born yet, or nineteen already.
            InvalidValue: The catalogue has no word for what the child likes or avoids.
            NoSuchThing: Whoever asks is no employee of a company.
        """
        at = self.now()
        if actor.company is None:
            raise NoSuchThing("company")
        described = in_the_catalogues_words(profile)
        child = Child(
            id=ChildId(self.new_id()),
            parent=actor.user,
            company=actor.company,
            profile=described,
            created_at=at,
        )
        with self.begin() as work:
            profile.must_be_of_a_child(today=_today(work, actor, at))
            key = self.vault.new_key(context=place_of_key(child.id))
            work.children.add(sealed(child, self.vault, key=key))
            work.child_keys.give(child.id, key, at=at)
            told(
                work,
                Action.CHILD_ADDED,
                child.id,
                key=key,
                vault=self.vault,
                new_id=self.new_id,
                at=at,
                new=asdict(described, recurse=False),
            )
        return viewed(child)


@frozen
class ListChildren:
    """Whoever asks sees their own children, the first registered first."""

    begin: Begin[FamilyWork]
    vault: Vault

    def __call__(self, *, actor: Actor) -> tuple[ChildView, ...]:
        with self.begin() as work:
            found = work.children.of(actor.user)
        return tuple(viewed(opened(child, self.vault)) for child in found)


@frozen
class ShowChild:
    """One of one's own children."""

    begin: Begin[FamilyWork]
    vault: Vault

    def __call__(self, child: ChildId, *, actor: Actor) -> ChildView:
        """
        Raises:
            NoSuchThing: Not a child of whoever asks.
        """
        with self.begin() as work:
            found = work.children.get(child, parent=actor.user)
        if found is None:
            raise NoSuchThing("child")
        return viewed(opened(found, self.vault))


@frozen
class ChangeChild:
    """
    Describe a child anew, or take it off the pass or back on.

    *change* gets the profile as it is and gives the one that shall be; the
    version that the caller last read guards against overwriting.
    """

    begin: Begin[FamilyWork]
    now: Clock
    new_id: NewId
    vault: Vault
    stand_down: StandDown

    def __call__(
        self,
        child: ChildId,
        *,
        actor: Actor,
        expected_version: int | None,
        change: Callable[[ChildProfile], ChildProfile] = lambda profile: profile,
        takes_part: bool | None = None,
    ) -> ChildView:
        """
        The child as it is then; taken off (``takes_part=False``) it gives up every future place.

        Raises:
            NoSuchThing: Not a child of whoever asks.
            VersionMismatch: It was changed meanwhile.
            NotAChild, InvalidValue: The new description is unusable.
        """
        at = self.now()
        with self.begin() as work:
            found = work.children.lock(child, parent=actor.user)
            if found is None:
                raise NoSuchThing("child")
            if expected_version is not None and expected_version != found.version:
                raise VersionMismatch(expected_version, found.version)
            before = opened(found, self.vault)
            after = before.described(in_the_catalogues_words(change(before.profile)))
            if after.profile.date_of_birth != before.profile.date_of_birth:
                after.profile.must_be_of_a_child(today=_today(work, actor, at))
            if takes_part is not None:
                after = after.taking_part(takes_part, may_be_kept=Purpose.DATA_COLLECTION in after.consents)
            if after.profile.medical_notes == before.profile.medical_notes:
                work.children.save(kept(after, found))
            else:
                work.children.save(sealed(after, self.vault, key=_key(work, after, found, self.vault, at=at)))
            old, new = changes(before.profile, after.profile)
            if after.status is not before.status:
                old, new = {**old, "status": before.status}, {**new, "status": after.status}
            told(
                work,
                Action.CHILD_CHANGED,
                child,
                key=found.key,
                vault=self.vault,
                new_id=self.new_id,
                at=at,
                old=old,
                new=new,
            )
            if before.status is ChildStatus.ACTIVE and after.status is not ChildStatus.ACTIVE:
                self.stand_down(work, child, parent=actor.user, reason="child_deactivated", at=at)
        return viewed(after)
