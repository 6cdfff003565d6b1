"""
Between a child as use cases know it and as it is stored: notes are sealed on the way.

Notes that cannot be opened say so in their own place. They are neither dropped, for
an allergy must not vanish unnoticed, nor may they keep anybody from the rest; and
whoever saves the child without changing them leaves what is stored as it is.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from nexus.application.identity.ports import FamilyWork, StoredChild
from nexus.application.identity.views import ChildView
from nexus.application.kernel.audit import sealed_deed
from nexus.application.kernel.ports import NewId
from nexus.application.kernel.vault import SealBroken, Vault, place, place_of_key
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.compliance.consent import Purpose
from nexus.domain.identity.families import Child, ChildProfile
from nexus.domain.kernel.ids import ChildId

UNREADABLE: Final = "Unreadable: there are medical notes, but they cannot be opened. Ask the family."
"""Stands where the notes would."""


def opened_notes(sealed: bytes | None, vault: Vault, *, child: ChildId, key: bytes | None) -> str | None:
    """The notes in clear; :data:`UNREADABLE` when their seal is broken; None when there are none."""
    if sealed is None:
        return None
    try:
        return vault.under(key, context=place_of_key(child)).open(sealed, context=_place(child))
    except SealBroken:
        return UNREADABLE


def sealed(child: Child, vault: Vault, *, key: bytes | None) -> StoredChild:
    """
    The child with its notes encrypted under its own key for its own row, and no other.

    Raises:
        SealBroken: There are notes, and its key cannot be opened.
    """
    text = child.profile.medical_notes
    own = vault.under(key, context=place_of_key(child.id))
    return _stored(child, notes=None if text is None else own.seal(text, context=_place(child.id)), key=key)


def kept(child: Child, stored: StoredChild) -> StoredChild:
    """The child with its notes as they are stored, readable or not."""
    return _stored(child, notes=stored.medical_notes, key=stored.key)


def opened(stored: StoredChild, vault: Vault) -> Child:
    """The child with its notes in clear."""
    return Child(
        id=stored.id,
        parent=stored.parent,
        company=stored.company,
        profile=ChildProfile(
            first_name=stored.first_name,
            date_of_birth=stored.date_of_birth,
            energy_level=stored.energy_level,
            social_preference=stored.social_preference,
            interests=stored.interests,
            activities_to_avoid=stored.activities_to_avoid,
            accessibility_needs=stored.accessibility_needs,
            medical_notes=opened_notes(stored.medical_notes, vault, child=stored.id, key=stored.key),
        ),
        status=stored.status,
        consents=stored.consents,
        created_at=stored.created_at,
        version=stored.version,
    )


def viewed(child: Child) -> ChildView:
    """The child as its parent sees it."""
    profile = child.profile
    return ChildView(
        id=child.id,
        first_name=profile.first_name,
        date_of_birth=profile.date_of_birth,
        energy_level=profile.energy_level,
        social_preference=profile.social_preference,
        interests=profile.interests,
        activities_to_avoid=profile.activities_to_avoid,
        accessibility_needs=profile.accessibility_needs,
        medical_notes=profile.medical_notes,
        medical_notes_unreadable=profile.medical_notes == UNREADABLE,
        status=child.status,
        consents=tuple(purpose for purpose in Purpose if purpose in child.consents),
        created_at=child.created_at,
        version=child.version,
    )


def told(
    work: FamilyWork,
    action: Action,
    child: ChildId,
    *,
    key: bytes | None,
    vault: Vault,
    new_id: NewId,
    at: datetime,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
) -> None:
    """
    Record what was done to a child; what it says of the child is sealed under the child's own *key*.

    A child without one is given it. Where it was destroyed, only the deed is recorded.
    """
    context = place_of_key(child)
    try:
        own = key or work.child_keys.give(child, vault.new_key(context=context), at=at)
        deed = sealed_deed(
            action, child, seals=vault.under(own, context=context), new_id=new_id, old=old, new=new
        )
    except SealBroken:
        deed = Deed(action, child)
    work.audit.add(deed)


def _place(child: ChildId) -> str:
    return place("children", "medical_notes", child)


def _stored(child: Child, *, notes: bytes | None, key: bytes | None) -> StoredChild:
    profile = child.profile
    return StoredChild(
        id=child.id,
        parent=child.parent,
        company=child.company,
        first_name=profile.first_name,
        date_of_birth=profile.date_of_birth,
        energy_level=profile.energy_level,
        social_preference=profile.social_preference,
        interests=profile.interests,
        activities_to_avoid=profile.activities_to_avoid,
        accessibility_needs=profile.accessibility_needs,
        medical_notes=notes,
        key=key,
        status=child.status,
        consents=child.consents,
        created_at=child.created_at,
        version=child.version,
    )
