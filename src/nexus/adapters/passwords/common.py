"""The passwords that guessing begins with, as a list that ships with the product."""

from functools import cache
from importlib.resources import files


@cache
def common_passwords() -> frozenset[str]:
    """Some sixteen thousand, of eight or more characters, folded as `folded` does; where from: data/README.md."""
    listed = files("nexus.adapters.passwords").joinpath("data", "common.txt")
    return frozenset(listed.read_text(encoding="utf-8").splitlines())
