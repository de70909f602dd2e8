"""In words: how two things differ that were to be equal."""

from collections.abc import Iterable
from pprint import pformat

__all__ = ["difference"]

__unittest = True

SHORT = 70
"""Characters that both together may have to be shown in one line."""


def difference(expected: object, actual: object) -> str:
    """What `assertEqual` says of two things that are not equal."""
    if isinstance(expected, set) and isinstance(actual, set):
        return _of_sets(expected, actual)
    left, right = repr(expected), repr(actual)
    if len(left) + len(right) <= SHORT:
        return f"{left} != {right}"
    return f"!=:\nreference = {_shown(expected)}\nactual    = {_shown(actual)}\n"


def _of_sets(expected: set[object], actual: set[object]) -> str:
    lines = ["!=:"]
    for items, name, other in (
        (expected - actual, "expected", "actual"),
        (actual - expected, "actual", "expected"),
    ):
        if items:
            lines.append(f"Items in {name} but not in {other}:\n{pformat(_in_order(items))}")
    return "\n".join(lines)


def _in_order(items: Iterable[object]) -> list[object]:
    try:
        return sorted(items, key=lambda item: (type(item).__name__, item))
    except TypeError:
        return sorted(items, key=repr)


def _shown(thing: object) -> str:
    if isinstance(thing, str) and "\n" in thing:
        return _in_triple_quotes(thing, "")
    if isinstance(thing, bytes) and b"\n" in thing:
        return _in_triple_quotes(thing.decode("latin-1"), "b")
    return repr(thing) if isinstance(thing, (str, bytes)) else pformat(thing)


def _in_triple_quotes(text: str, prefix: str) -> str:
    """The text as a literal of several lines; what cannot be seen in it is escaped."""
    escaped = (
        "".join(_visible(character, bytes_only=bool(prefix)) for character in line)
        for line in text.split("\n")
    )
    body = "\n".join(escaped).replace("'''", "\\'''")
    if body.endswith("'"):
        body = body[:-1] + "\\'"
    return f"{prefix}'''\\\n{body}'''"


def _visible(character: str, *, bytes_only: bool) -> str:
    if bytes_only and not character.isascii():
        return f"\\x{ord(character):02x}"
    return character if character in "'\"" else repr(character)[1:-1]
