"""Second factors, recovery codes and half-done sign-ins: the twins of their tables."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import evolve

from nexus.adapters.memory.account_rows import ChallengeRow, FactorRow
from nexus.adapters.memory.world import World
from nexus.application.identity.factor_ports import Challenge, StoredFactor
from nexus.domain.kernel.ids import UserId


class MemorySecondFactors:
    """The twin of ``second_factors`` and ``recovery_codes``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, user: UserId) -> StoredFactor | None:
        row = self._world.second_factors.get(user)
        return None if row is None else row.factor

    def begin(self, user: UserId, pending_seed: bytes, *, at: datetime) -> None:
        row = self._world.second_factors.get(user) or FactorRow(
            StoredFactor(
                user=user, seed=None, last_step=0, confirmed_at=None, pending_seed=None, pending_since=None
            )
        )
        changed = evolve(row.factor, pending_seed=pending_seed, pending_since=at)
        self._world.second_factors[user] = evolve(row, factor=changed)

    def confirm(self, user: UserId, pending_seed: bytes, *, seed: bytes, step: int, at: datetime) -> bool:
        row = self._world.second_factors.get(user)
        if row is None or row.factor.pending_seed != pending_seed:
            return False
        confirmed = StoredFactor(
            user=user, seed=seed, last_step=step, confirmed_at=at, pending_seed=None, pending_since=None
        )
        self._world.second_factors[user] = evolve(row, factor=confirmed)
        return True

    def accept(self, user: UserId, seed: bytes, *, step: int) -> bool:
        row = self._world.second_factors.get(user)
        if row is None or row.factor.seed != seed or row.factor.last_step >= step:
            return False
        self._world.second_factors[user] = evolve(row, factor=evolve(row.factor, last_step=step))
        return True

    def remove(self, user: UserId) -> bool:
        self._forget_codes(user)
        row = self._world.second_factors.get(user)
        if row is None:
            return False
        del self._world.second_factors[user]
        return row.factor.seed is not None

    def take_attempt(
        self, user: UserId, *, at: datetime, at_most: int, within: timedelta
    ) -> timedelta | None:
        row = self._world.second_factors.get(user)
        if row is None:
            return None
        if row.attempts_since is None or row.attempts_since <= at - within:
            self._world.second_factors[user] = evolve(row, attempts=1, attempts_since=at)
            return None
        if row.attempts < at_most:
            self._world.second_factors[user] = evolve(row, attempts=row.attempts + 1)
            return None
        return row.attempts_since + within - at

    def forget_attempts(self, user: UserId) -> None:
        row = self._world.second_factors.get(user)
        if row is not None:
            self._world.second_factors[user] = evolve(row, attempts=0, attempts_since=None)

    def replace_recovery_codes(self, user: UserId, hashes: Sequence[bytes], *, at: datetime) -> None:  # noqa: ARG002 - no twin tells when
        self._forget_codes(user)
        for code_hash in hashes:
            self._world.recovery_codes[user, code_hash] = None

    def use_recovery_code(self, user: UserId, code_hash: bytes, *, at: datetime) -> bool:
        key = (user, code_hash)
        if key not in self._world.recovery_codes or self._world.recovery_codes[key] is not None:
            return False
        self._world.recovery_codes[key] = at
        return True

    def recovery_codes_left(self, user: UserId) -> int:
        codes = self._world.recovery_codes.items()
        return sum(owner == user and used_at is None for (owner, _), used_at in codes)

    def _forget_codes(self, user: UserId) -> None:
        for key in [key for key in self._world.recovery_codes if key[0] == user]:
            del self._world.recovery_codes[key]


class MemoryChallenges:
    """The twin of ``sign_in_challenges``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, token_hash: bytes, challenge: Challenge) -> None:
        self._world.challenges[token_hash] = ChallengeRow(challenge)

    def take_try(self, token_hash: bytes, *, at: datetime, at_most: int) -> Challenge | None:
        row = self._world.challenges.get(token_hash)
        if row is None or row.closed_at is not None or row.challenge.expires_at <= at or row.tries >= at_most:
            return None
        if not self._world.users[row.challenge.user].person.is_active:
            return None
        self._world.challenges[token_hash] = evolve(row, tries=row.tries + 1)
        return row.challenge

    def close(self, token_hash: bytes, *, at: datetime) -> bool:
        row = self._world.challenges.get(token_hash)
        if row is None or row.closed_at is not None:
            return False
        self._world.challenges[token_hash] = evolve(row, closed_at=at)
        return True

    def close_all(self, user: UserId, *, at: datetime) -> None:
        for token_hash, row in tuple(self._world.challenges.items()):
            if row.challenge.user == user:
                self.close(token_hash, at=at)
