"""Arbitrary values, each another one."""

import itertools
from collections.abc import Iterator

__all__ = ["unique_text_generator"]

FIRST = 0x1E00
COUNT = 0x100
"""The first of so many letters with rings, dots and hooks: none is ASCII, all can be seen."""


def unique_text_generator(prefix: str) -> Iterator[str]:
    """Texts '<prefix>-<letters>', no two alike, with letters that are not ASCII."""
    for number in itertools.count():
        yield f"{prefix}-{_letters(number)}"


def _letters(number: int) -> str:
    """The number in letters for digits, the lowest first."""
    rest, digit = divmod(number, COUNT)
    letters = [chr(FIRST + digit)]
    while rest:
        rest, digit = divmod(rest, COUNT)
        letters.append(chr(FIRST + digit))
    return "".join(letters)
