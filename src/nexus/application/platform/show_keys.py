"""Count what is sealed under which key."""

from collections.abc import Mapping

from attrs import frozen

from nexus.application.kernel.ports import Begin
from nexus.application.kernel.vault import RotatingVault
from nexus.application.platform.rotate_keys import RotateWork

UNKNOWN = "unknown"
"""The name of a key that is not among those that the installation has."""

CHILDREN = "keys of the children"
"""The name of the keys that are themselves sealed, in ``child_keys``."""


@frozen
class SealedUnder:
    """How many values of a column are sealed under a key."""

    column: str
    key: str
    key_id: str
    values: int


@frozen
class ShowKeys:
    """What is sealed under which key, so that one knows when a former key can be thrown away."""

    begin: Begin[RotateWork]
    vault: RotatingVault
    names: Mapping[bytes, str]

    def __call__(self) -> tuple[SealedUnder, ...]:
        """Each column and key with at least one value, in the columns' order."""
        under = self.vault.mark_under
        with self.begin() as work:
            return tuple(
                SealedUnder(
                    str(column),
                    CHILDREN if mark == under else self.names.get(mark, UNKNOWN),
                    mark[1:].hex(),
                    values,
                )
                for column in work.sealed_values.columns
                for mark, values in sorted(work.sealed_values.count_by_key(column, under=under).items())
            )
