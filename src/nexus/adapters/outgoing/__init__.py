"""
Requests to places that somebody else names.

An address that a customer types, or a name whose owner answers what they
like, must not make this machine ask its own neighbours. So everything that
the product asks of the outside goes through one client.
"""

from nexus.adapters.outgoing.addresses import is_public
from nexus.adapters.outgoing.client import Answer, NoAnswer, OutgoingClient
from nexus.adapters.outgoing.destinations import Destination, ForbiddenDestination, UnusableUrl

__all__ = [
    "Answer",
    "Destination",
    "ForbiddenDestination",
    "NoAnswer",
    "OutgoingClient",
    "UnusableUrl",
    "is_public",
]
