"""Passwords where how hard they are to guess is not the matter."""

from argon2 import PasswordHasher

from nexus.adapters.passwords.argon2 import Argon2Passwords

QUICK = Argon2Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""Argon2id at the least that it can cost: 0.1 ms instead of 20, and most tests sign several people in."""
