"""The expressions of `-k`: which tests, by parts of their ids."""

import re
from collections.abc import Callable, Sequence

__all__ = ["KeywordError", "keyword_match"]

Match = Callable[[str], bool]

_TOKEN = re.compile(r"\s*(?:(?P<word>[\w:+\-.\[\]\\/#]+)|(?P<sign>[()]))")


class KeywordError(ValueError):
    """It is no expression; its message says where and why."""


def keyword_match(expression: str) -> Match:
    """Whether an id is meant by an expression of pytest's: words, `and`, `or`, `not`, brackets.

    A word means each id that it is a part of, in capitals or not; an empty expression means all.
    Raises KeywordError.
    """
    tokens = list(_tokens(expression))
    if not tokens:
        return lambda test_id: True
    parser = _Parser(expression, tokens)
    found = parser.either()
    parser.expect_end()
    return lambda test_id: found(test_id.lower())


def _tokens(expression: str) -> list[tuple[int, str]]:
    found = []
    place = 0
    while expression[place:].strip():
        match = _TOKEN.match(expression, place)
        if match is None:
            while expression[place].isspace():
                place += 1
            raise KeywordError(
                f"-k {expression!r}: unexpected {expression[place]!r} at column {place + 1}"
            )
        found.append((match.start(match.lastindex or 0), match[match.lastindex or 0]))
        place = match.end()
    return found


class _Parser:
    """One function for each level: `either` is made of `both`, which is made of `one`."""

    def __init__(self, expression: str, tokens: list[tuple[int, str]]) -> None:
        self._expression = expression
        self._tokens = tokens
        self._next = 0

    def either(self) -> Match:
        found = [self._both()]
        while self._take("or"):
            found.append(self._both())
        return found[0] if len(found) == 1 else _any_of(found)

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise self._unexpected("the end")

    def _both(self) -> Match:
        found = [self._one()]
        while self._take("and"):
            found.append(self._one())
        return found[0] if len(found) == 1 else _all_of(found)

    def _one(self) -> Match:
        if self._take("not"):
            negated = self._one()
            return lambda test_id: not negated(test_id)
        if self._take("("):
            found = self.either()
            if not self._take(")"):
                raise self._unexpected("')'")
            return found
        token = self._token()
        if token in ("", "and", "or", ")"):
            raise self._unexpected("a word, 'not' or '('")
        self._next += 1
        word = token.lower()
        return lambda test_id: word in test_id

    def _token(self) -> str:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else ""

    def _take(self, token: str) -> bool:
        taken = self._token() == token
        self._next += taken
        return taken

    def _unexpected(self, wanted: str) -> KeywordError:
        if self._next < len(self._tokens):
            place, token = self._tokens[self._next]
            got, column = repr(token), place + 1
        else:
            got, column = "the end", len(self._expression) + 1
        return KeywordError(
            f"-k {self._expression!r}: expected {wanted} at column {column}, got {got}"
        )


def _any_of(matches: Sequence[Match]) -> Match:
    return lambda test_id: any(match(test_id) for match in matches)


def _all_of(matches: Sequence[Match]) -> Match:
    return lambda test_id: all(match(test_id) for match in matches)
