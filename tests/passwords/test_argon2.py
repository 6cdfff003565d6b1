"""Argon2id with stated parameters, a few at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest
from argon2 import PasswordHasher

from nexus.adapters.passwords.argon2 import Argon2Passwords
from nexus.adapters.passwords.tokens import new_token
from nexus.entrypoints.wiring import Nexus


@pytest.fixture(scope="module")
def passwords():
    return Argon2Passwords()


def test_a_hash_proves_its_own_password_only(passwords):
    hashed = passwords.hash("correct horse")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify("correct horse", hashed)
    assert not passwords.verify("wrong horse", hashed)
    assert not passwords.verify("nobody", None), "the stand-in for no account proves nothing"
    assert not passwords.verify("x", "not a hash")


def test_the_product_hashes_with_these_parameters():
    """Many tests hash with the least that it can cost; what is served must not."""
    served = Nexus(None, now=None, secret_key=bytes(32)).sign_in.passwords
    assert served.hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_weaker_hashes_want_renewal(passwords):
    assert not passwords.needs_rehash(passwords.hash("x"))
    assert passwords.needs_rehash(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))


def test_never_more_than_two_hashes_are_computed_at_once(passwords, monkeypatch):
    running, most, lock = 0, 0, Lock()
    genuine = passwords._hasher

    class Counting:
        def hash(self, password):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            try:
                return genuine.hash(password)
            finally:
                with lock:
                    running -= 1

    monkeypatch.setattr(passwords, "_hasher", Counting())
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(passwords.hash, ["x"] * 16))
    assert most == 2


def test_tokens_have_256_bits_and_differ():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}
