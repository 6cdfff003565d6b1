"""What second factors are made of: chance."""

from secrets import choice, token_bytes

from nexus.domain.identity.second_factor import (
    RECOVERY_ALPHABET,
    RECOVERY_GROUP,
    RECOVERY_GROUPS,
    SEED_BYTES,
    recovery_code,
)


def new_seed() -> bytes:
    """The secret of an authenticator app."""
    return token_bytes(SEED_BYTES)


def new_recovery_code() -> str:
    """One recovery code, in groups."""
    return recovery_code("".join(choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_GROUPS * RECOVERY_GROUP)))
