"""Whose data an actor may touch: the one company or venue that the role belongs to."""

from nexus.application.kernel.actor import Actor
from nexus.domain.kernel.ids import CompanyId, VenueId
from nexus.entrypoints.http.policies import NotForThisRole


def company_of(actor: Actor) -> CompanyId:
    """
    The company whose benefit the actor uses.

    Raises:
        NotForThisRole: The role belongs to none.
    """
    if actor.company is None:
        raise NotForThisRole(actor.role)
    return actor.company


def venue_of(actor: Actor) -> VenueId:
    """
    The venue that the actor runs.

    Raises:
        NotForThisRole: The role belongs to none.
    """
    if actor.venue is None:
        raise NotForThisRole(actor.role)
    return actor.venue
