"""
The composition root: every use case, made once, over the adapters of an installation.

This is the table of contents of what the product does, a module for each context, and
the only package that knows both use cases and adapters. A use case is made where its
context is; `Nexus` has them all.
"""

from nexus.entrypoints.wiring.opening import AWAY, begin_light, excessive_powers, open_nexus
from nexus.entrypoints.wiring.product import Nexus

__all__ = ["AWAY", "Nexus", "begin_light", "excessive_powers", "open_nexus"]
