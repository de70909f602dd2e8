"""Damage to files of coverage tools, by chance: bytes, numbers, names and whole pieces."""

import re
from random import Random

__all__ = ["damaged"]

_NUMBER = re.compile(rb"-?\d+")
_WORD = re.compile(rb"[A-Za-z_./:-]{2,}")
_NUMBERS = (
    b"0",
    b"-1",
    b"1000000",
    b"1000001",
    b"2147483648",
    b"-9223372036854775809",
    b"99999999999999999999999999",
    b"1e308",
    b"1e999",
    b"NaN",
    b"1.5",
    b"0x10",
    b"",
    "٣".encode(),
    b"null",
    b'"7"',
    b"[]",
    b"7" * 5000,
)
_WORDS = (
    b"../../etc/passwd",
    b"/etc/passwd",
    b"C:\\Windows\\system.ini",
    b"//host/share",
    b"a\0b",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"..",
    b"",
    b"x" * 5000,
    "próba\u202e\U0001f600".encode(),
    b"&lol;",
    b"%s%n{0}",
    b"|call",
    b"import",
    b"tests/test_a.py::test_a|setup",
)
_MARKS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"<",
    b">",
    b"/",
    b"\n",
    b"\0",
    b"&",
    b"'",
    b"\\",
)


def damaged(whole: bytes, random: Random) -> bytes:
    """The file with one to six things wrong, and now and then with none."""
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, 6))):
        whole = random.choice(_DAMAGES)(whole, random)
    return whole


def _flipped(whole: bytes, random: Random) -> bytes:
    if not whole:
        return b"\0"
    place = random.randrange(len(whole))
    return whole[:place] + bytes((whole[place] ^ 1 << random.randrange(8),)) + whole[place + 1 :]


def _noise(whole: bytes, random: Random) -> bytes:
    place = random.randint(0, len(whole))
    length = random.choice((1, 2, 4, 16))
    return whole[:place] + random.randbytes(length) + whole[place + random.choice((0, length)) :]


def _cut(whole: bytes, random: Random) -> bytes:
    return whole[: random.randint(0, len(whole))]


def _without(whole: bytes, random: Random) -> bytes:
    start, end = _span(whole, random)
    return whole[:start] + whole[end:]


def _twice(whole: bytes, random: Random) -> bytes:
    start, end = _span(whole, random)
    return whole[:end] + whole[start:end] * random.choice((1, 1, 2, 50)) + whole[end:]


def _moved(whole: bytes, random: Random) -> bytes:
    start, end = _span(whole, random)
    place = random.randint(0, len(whole))
    return whole[:place] + whole[start:end] + whole[place:]


def _other_number(whole: bytes, random: Random) -> bytes:
    return _replaced(whole, _NUMBER, _NUMBERS, random)


def _other_word(whole: bytes, random: Random) -> bytes:
    return _replaced(whole, _WORD, _WORDS, random)


def _mark(whole: bytes, random: Random) -> bytes:
    place = random.randint(0, len(whole))
    mark = random.choice(_MARKS) * random.choice((1, 1, 1, 3, 2000))
    return whole[:place] + mark + whole[place + random.choice((0, 1)) :]


def _lines_in_another_order(whole: bytes, random: Random) -> bytes:
    lines = whole.split(b"\n")
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _span(whole: bytes, random: Random) -> tuple[int, int]:
    start = random.randint(0, len(whole))
    return start, min(len(whole), start + random.choice((1, 3, 10, 60, 400)))


def _replaced(
    whole: bytes, pattern: re.Pattern[bytes], values: tuple[bytes, ...], random: Random
) -> bytes:
    found = pattern.search(whole, random.randint(0, len(whole))) or pattern.search(whole)
    if found is None:
        return whole
    return whole[: found.start()] + random.choice(values) + whole[found.end() :]


_DAMAGES = (
    _flipped,
    _noise,
    _cut,
    _without,
    _twice,
    _moved,
    _other_number,
    _other_number,
    _other_word,
    _other_word,
    _mark,
    _lines_in_another_order,
)
