"""What happened to consents."""

from attrs import frozen

from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import ChildId, UserId


@frozen(kw_only=True)
class ConsentChanged(Event):
    """A parent's consents for a child stand differently now."""

    child: ChildId
    parent: UserId
    given: tuple[str, ...]
    withdrawn: tuple[str, ...]
