"""Which passwords may be chosen: not the first guesses of somebody who knows nothing, or who knows us."""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from attrs import frozen

from nexus.domain.identity.credentials import SHORTEST, new_password
from nexus.domain.kernel.errors import Invalid

OUR_WORDS: Final = ("nexusfamilypass", "familypass", "nexus")
"""What this product is called."""

_SHORTEST_WORD: Final = 3
"""Shorter parts of a name or an address are part of too many other words."""


class Weakness(StrEnum):
    """Why a password would be guessed early."""

    COMMON = "common"
    """It is among the most used ones."""
    OWN_WORDS = "own_words"
    """Without one's own name and address, and the product's name, less than a password remains."""


@frozen
class GuessablePassword(Invalid):
    """
    This password would be among the first guesses; choose another one.

    The reason is `common` (it is among the most used ones) or `own_words` (without
    your name, your address and the name of this product, fewer than eight letters
    and digits remain).
    """

    reason: Weakness


def folded(password: str) -> str:
    """The password as it is compared with others: upper and lower case, and forms of a character, are the same."""
    return unicodedata.normalize("NFKC", password.strip()).casefold()


def chosen_password(password: str, *, own: Iterable[str], common: frozenset[str]) -> str:
    """
    A password that somebody may have, normalised.

    Parameters:
        own: Names and addresses of whoever chooses it.
        common: Folded passwords that nobody may have.

    Raises:
        UnacceptablePassword: Too short, too long, or with half a surrogate pair.
        GuessablePassword: It would be guessed early.
    """
    composed = new_password(password)
    if folded(composed) in common:
        raise GuessablePassword(Weakness.COMMON)
    bare = _letters_and_digits(composed)
    rest = bare
    for word in sorted(_words(own), key=len, reverse=True):
        rest = rest.replace(word, " ")
    if rest != bare and len(rest.replace(" ", "")) < SHORTEST:
        raise GuessablePassword(Weakness.OWN_WORDS)
    return composed


def _words(own: Iterable[str]) -> set[str]:
    """Whole names and addresses, and their parts."""
    found = set(OUR_WORDS)
    for text in own:
        parts = [text, *text.split("@"), *re.split(r"[\W_]+", text)]
        found |= {word for word in map(_letters_and_digits, parts) if len(word) >= _SHORTEST_WORD}
    return found


def _letters_and_digits(text: str) -> str:
    return "".join(character for character in folded(text) if character.isalnum())
