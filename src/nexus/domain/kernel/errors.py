"""
Every refusal the product can give, as seven kinds.

::

    Refusal
    ├── Invalid           what was said cannot be true             (HTTP 422)
    ├── Unauthenticated   we do not know who is asking             (HTTP 401)
    ├── Forbidden         this role may never do that              (HTTP 403)
    ├── NotFound          it does not exist for whoever is asking  (HTTP 404)
    ├── Conflict          true, but a rule or the state forbids it (HTTP 409)
    ├── Stale             it changed since the caller last read it (HTTP 412)
    └── Throttled         too often; wait, then it may be granted  (HTTP 429)

A concrete error is a frozen attrs subclass of one kind. Its name is the
problem's ``type`` (``SessionFull`` -> ``session-full``), the first line of its
docstring the ``title``, and its fields are the problem's members.
"""

import re
from inspect import cleandoc
from typing import Any, ClassVar

from attrs import fields, frozen

from nexus.domain.kernel.ids import ChildId


class Refusal(Exception):
    """The request was understood and refused."""

    is_passing: ClassVar[bool] = False
    """Whether the same request may well succeed a moment later, so that its refusal is not remembered."""

    @classmethod
    def slug(cls) -> str:
        """The rule that was broken, in kebab case."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()

    @classmethod
    def title(cls) -> str:
        """One sentence for people: the first line of the class's docstring."""
        return cleandoc(cls.__doc__ or cls.__name__).splitlines()[0]

    def members(self) -> dict[str, Any]:
        """The figures a client needs, by name."""
        cls: Any = type(self)
        if not hasattr(cls, "__attrs_attrs__"):
            return {}
        return {a.name: getattr(self, a.name) for a in fields(cls)}

    def __str__(self) -> str:
        figures = ", ".join(f"{name}={value}" for name, value in self.members().items())
        return f"{self.title()} ({figures})" if figures else self.title()


class Invalid(Refusal):
    """What was said cannot be true."""


class Unauthenticated(Refusal):
    """We do not know who is asking."""


class Forbidden(Refusal):
    """This role may never do that."""


class NotFound(Refusal):
    """It does not exist for whoever is asking."""


class Conflict(Refusal):
    """A rule or the present state forbids it."""


class Stale(Refusal):
    """It changed since it was last read."""


@frozen
class Throttled(Refusal):
    """Too often; it may be granted after a while."""

    is_passing: ClassVar[bool] = True

    retry_after: int
    """Seconds until the next time may be granted; HTTP says it in a header too."""


@frozen
class InvalidValue(Invalid):
    """A value is not acceptable."""

    field: str
    reason: str


@frozen
class NoSuchThing(NotFound):
    """There is no such thing."""

    kind: str


@frozen
class VersionMismatch(Stale):
    """It was changed by somebody else in the meantime."""

    expected: int
    actual: int


@frozen
class ChildNotActive(Conflict):
    """The child's profile is a draft or deactivated."""

    child: ChildId
