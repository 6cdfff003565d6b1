"""Remember who tried what they may never do."""

from attrs import frozen

from nexus.application.kernel.audit import AuditWork
from nexus.application.kernel.ports import Begin
from nexus.domain.compliance.audit import Action, Deed


@frozen
class RecordRefusal:
    """
    Note that somebody known asked for what their role or key is not for.

    What is refused for other reasons (it is not there, a rule forbids it now) is
    ordinary use and in no log.
    """

    begin: Begin[AuditWork]

    def __call__(self, *, method: str, route: str, refusal: str) -> None:
        """*route* is the template of the address, without anything that was filled in."""
        with self.begin() as work:
            work.audit.add(
                Deed(Action.ACCESS_REFUSED, new={"method": method, "route": route, "refusal": refusal})
            )
