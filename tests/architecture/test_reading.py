"""Units of work without a transaction are for use cases that only read."""

from functools import cached_property

import pytest

from nexus.entrypoints.wiring import Nexus

READING = (
    "authenticate",
    "browse_",
    "list_",
    "overview_",
    "quote_booking",
    "read_settings",
    "search_api_keys",
    "show_",
)

RECORDED = ("list_employees",)
"""Reading that is told in the audit log, which is written."""

nexus = Nexus(None, now=None, secret_key=bytes(32))
NAMES = [
    name
    for context in Nexus.__mro__
    for name, value in vars(context).items()
    if isinstance(value, cached_property)
]


@pytest.mark.parametrize("name", NAMES)
def test_only_what_reads_does_without_a_transaction(name):
    use_case = getattr(nexus, name)
    if getattr(use_case, "begin", None) == nexus.read:
        assert name.startswith(READING)
    elif name not in RECORDED:
        assert not name.startswith(("list_", "browse_"))
