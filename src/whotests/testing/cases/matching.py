"""Matchers: whatever can say that a thing does not match, and why.

Met by what they can do: `match(thing)` gives None or a mismatch (testtools'), or
`matches(item, description)` gives whether it matches (PyHamcrest's).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, Self, runtime_checkable

from whotests.testing.details.content import Content

__all__ = ["Matcher", "Mismatch", "MismatchError", "assert_that", "details_of", "mismatch_error"]

__unittest = True


class Mismatch(Protocol):
    """Why a thing did not match."""

    def describe(self) -> str:
        """In words."""

    def get_details(self) -> Mapping[str, Content]:
        """What belongs to it and is too long for words; a mismatch need not have this method."""


@runtime_checkable
class Matcher(Protocol):
    """What `assertThat` takes, next to PyHamcrest's matchers."""

    def match(self, thing: Any, /) -> Mismatch | None:
        """None if it matches."""


class MismatchError(AssertionError):
    """A thing was not matched. Its text is made when somebody reads it."""

    __module__ = "whotests.testing"

    def __init__(
        self, matchee: object, matcher: object, mismatch: Mismatch, verbose: bool = False
    ) -> None:
        super().__init__()
        self.matchee = matchee
        self.matcher = matcher
        self.mismatch = mismatch
        self.verbose = verbose

    def __str__(self) -> str:
        difference = str(self.mismatch.describe())
        if not self.verbose:
            return difference
        return (
            f"Match failed. Matchee: {self.matchee!r}\n"
            f"Matcher: {self.matcher}\nDifference: {difference}\n"
        )


def assert_that(matchee: Any, matcher: Any, message: str = "", verbose: bool = False) -> None:
    """Raise MismatchError unless `matcher` matches; for use outside of a test case."""
    error = mismatch_error(matchee, matcher, message, verbose)
    if error is not None:
        raise error


def mismatch_error(
    matchee: Any, matcher: Any, message: str = "", verbose: bool = False
) -> MismatchError | None:
    """What to raise if `matcher` does not match, or None.

    Raises TypeError for what is no matcher, and for what says neither that it matches nor why not.
    """
    mismatch = _mismatch(matchee, matcher)
    if mismatch is None:
        return None
    if message:
        mismatch = _Annotated(message, mismatch)
    return MismatchError(matchee, matcher, mismatch, verbose)


def _mismatch(matchee: Any, matcher: Any) -> Mismatch | None:
    if isinstance(matcher, re.Pattern):
        raise TypeError(
            f"{matcher!r} is no matcher: what its match() gives for no match is what a matcher "
            "gives for a match. Use assertRegex, or a matcher for regular expressions."
        )
    match = getattr(matcher, "match", None)
    if match is not None:
        mismatch: Any = match(matchee)
        if mismatch is None or hasattr(mismatch, "describe"):
            return mismatch  # type: ignore[no-any-return]
        raise TypeError(
            f"match() of {matcher!r} gave {mismatch!r}, which is neither None nor a mismatch: "
            "a mismatch has a method describe()."
        )
    if hasattr(matcher, "matches"):
        return _told(matchee, matcher)
    raise TypeError(
        f"{matcher!r} is no matcher: it has neither match(thing), as matchers of testtools have, "
        "nor matches(item, description), as those of PyHamcrest have."
    )


def _told(matchee: Any, matcher: Any) -> Mismatch | None:
    """What a matcher of PyHamcrest's says; it is asked again, in words, only if it says no."""
    if matcher.matches(matchee):
        return None
    said = Description("Expected: ")
    matcher.describe_to(said)
    said.append_text("\n     but: ")
    if hasattr(matcher, "describe_mismatch"):
        matcher.describe_mismatch(matchee, said)
    else:
        said.append_text("was ").append_description_of(matchee)
    return _Said(str(said))


class _Said:
    """A mismatch that is in words already."""

    def __init__(self, text: str) -> None:
        self._text = text

    def describe(self) -> str:
        return self._text

    def get_details(self) -> Mapping[str, Content]:
        return {}


class _Annotated:
    """A mismatch with the author's own words after it."""

    def __init__(self, message: str, mismatch: Mismatch) -> None:
        self._message = message
        self._mismatch = mismatch

    def describe(self) -> str:
        return f"{self._mismatch.describe()}: {self._message}"

    def get_details(self) -> Mapping[str, Content]:
        return details_of(self._mismatch)


def details_of(mismatch: Any) -> Mapping[str, Content]:
    """The details of a mismatch, if it has any."""
    get_details = getattr(mismatch, "get_details", None)
    return get_details() if get_details is not None else {}


class Description:
    """What matchers of PyHamcrest's describe themselves to."""

    def __init__(self, text: str = "") -> None:
        self._pieces = [text]

    def append(self, text: str) -> None:
        self._pieces.append(str(text))

    def append_text(self, text: str) -> Self:
        self.append(text)
        return self

    def append_description_of(self, value: Any) -> Self:
        describe_to = getattr(value, "describe_to", None)
        if describe_to is not None and not isinstance(value, type):
            describe_to(self)
        elif isinstance(value, str):
            self.append(repr(value))
        else:
            text = str(value)
            self.append(text if text[:1] == "<" and text[-1:] == ">" else f"<{text}>")
        return self

    def append_list(self, start: str, separator: str, end: str, list: Iterable[Any]) -> Self:
        self.append(start)
        for number, item in enumerate(list):
            if number:
                self.append(separator)
            self.append_description_of(item)
        self.append(end)
        return self

    def __str__(self) -> str:
        return "".join(self._pieces)
