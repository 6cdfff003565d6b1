"""Between a child as use cases know it and as it is stored: notes are sealed on the way."""

from nexus.application.identity.ports import StoredChild
from nexus.application.identity.views import ChildView
from nexus.application.kernel.vault import Vault
from nexus.domain.compliance.consent import Purpose
from nexus.domain.identity.families import Child, ChildProfile
from nexus.domain.kernel.ids import ChildId


def _context(child: ChildId) -> str:
    return f"children/medical_notes/{child}"


def sealed(child: Child, vault: Vault) -> StoredChild:
    """The child with its notes encrypted for its own row, and no other."""
    profile = child.profile
    notes = profile.medical_notes
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
        medical_notes=None if notes is None else vault.seal(notes, context=_context(child.id)),
        status=child.status,
        consents=child.consents,
        created_at=child.created_at,
        version=child.version,
    )


def opened(stored: StoredChild, vault: Vault) -> Child:
    """The child with its notes in clear."""
    notes = stored.medical_notes
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
            medical_notes=None if notes is None else vault.open(notes, context=_context(stored.id)),
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
        status=child.status,
        consents=tuple(purpose for purpose in Purpose if purpose in child.consents),
        created_at=child.created_at,
        version=child.version,
    )
