from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from http_edge.toy import Memory, toy

PARENT = {"authorization": "Bearer parent"}


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def client(memory: Memory) -> Iterator[TestClient[Any]]:
    with TestClient(toy(memory=memory, metrics=True), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def shared() -> Iterator[TestClient[Any]]:
    with TestClient(toy(), raise_server_exceptions=False) as client:
        yield client
