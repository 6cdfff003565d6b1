"""What use cases about second factors ask of stores and of chance."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from attrs import field, frozen

from nexus.application.identity.ports import SignInWork
from nexus.domain.kernel.ids import UserId

NewSeed = Callable[[], bytes]
"""A fresh seed of 160 random bits."""

NewRecoveryCode = Callable[[], str]
"""A fresh recovery code of 125 random bits, in groups."""


@frozen(kw_only=True)
class StoredFactor:
    """Somebody's second factor as it is stored: seeds are sealed, each for its own place."""

    user: UserId
    seed: bytes | None = field(repr=False)
    """Of the confirmed factor."""
    last_step: int
    confirmed_at: datetime | None
    pending_seed: bytes | None = field(repr=False)
    """Of the factor that is being set up."""
    pending_since: datetime | None


class SecondFactors(Protocol):
    """Authenticator apps and recovery codes, by person."""

    def get(self, user: UserId) -> StoredFactor | None: ...

    def begin(self, user: UserId, pending_seed: bytes, *, at: datetime) -> None:
        """Keep a sealed seed until it is confirmed; it replaces an earlier one that was not."""
        ...

    def confirm(self, user: UserId, pending_seed: bytes, *, seed: bytes, step: int, at: datetime) -> bool:
        """
        Make the pending seed the factor, newly sealed, with the step that confirmed it as the last one.

        False if something else is pending meanwhile.
        """
        ...

    def accept(self, user: UserId, seed: bytes, *, step: int) -> bool:
        """Use up the steps to this one; False if they were used, or the seed is another one, meanwhile."""
        ...

    def remove(self, user: UserId) -> bool:
        """Forget the factor, its recovery codes and what was being set up; False if there was none."""
        ...

    def take_attempt(
        self, user: UserId, *, at: datetime, at_most: int, within: timedelta
    ) -> timedelta | None:
        """Count a code about to be tried; how long to wait if too many were, else None."""
        ...

    def forget_attempts(self, user: UserId) -> None: ...

    def replace_recovery_codes(self, user: UserId, hashes: Sequence[bytes], *, at: datetime) -> None: ...

    def use_recovery_code(self, user: UserId, code_hash: bytes, *, at: datetime) -> bool:
        """Use one up; False if there is no such one, or it was used."""
        ...

    def recovery_codes_left(self, user: UserId) -> int: ...


@frozen(kw_only=True)
class Challenge:
    """Somebody who has shown the right password and still owes a second factor."""

    user: UserId
    remember: bool
    created_at: datetime
    expires_at: datetime


class Challenges(Protocol):
    """Half-done sign-ins, by the hash of their token."""

    def add(self, token_hash: bytes, challenge: Challenge) -> None: ...

    def take_try(self, token_hash: bytes, *, at: datetime, at_most: int) -> Challenge | None:
        """Count an answer about to be given; None if there were too many, it ended, or the account did."""
        ...

    def close(self, token_hash: bytes, *, at: datetime) -> bool:
        """Let it be answered no more; False if it was closed already."""
        ...

    def close_all(self, user: UserId, *, at: datetime) -> None: ...


class FactorWork(SignInWork, Protocol):
    """A unit of work that knows second factors."""

    @property
    def second_factors(self) -> SecondFactors: ...

    @property
    def challenges(self) -> Challenges: ...
