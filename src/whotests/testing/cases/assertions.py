"""What a test case asserts beyond unittest's methods, and in other words."""

import sys
import traceback
import unittest
from typing import Any, NoReturn

from whotests.testing.cases.difference import difference
from whotests.testing.cases.matching import MismatchError, details_of, mismatch_error

__all__ = ["Assertions", "attach_details_of", "stack_of_author"]

__unittest = True

_STANDARD = frozenset(
    getattr(unittest.TestCase, name)
    for name in ("assertMultiLineEqual", "assertSetEqual", "_baseAssertEqual")
)
"""How unittest compares what we describe ourselves."""


class Assertions(unittest.TestCase):
    """unittest's assertions, for a case that has `addDetailUniqueName`.

    `message` may stand for `msg`, as testtools calls it.
    """

    def assertThat(
        self, matchee: Any, matcher: Any, message: str = "", verbose: bool = False
    ) -> None:
        """Fail unless `matcher` matches, one of testtools or PyHamcrest or made like them."""
        error = mismatch_error(matchee, matcher, message, verbose)
        if error is not None:
            attach_details_of(error, self)
            raise error

    def assertEqual(self, first: Any, second: Any, msg: Any = None, *, message: Any = None) -> None:
        """Fail unless the two are equal: what is expected, and what there is.

        Two lists, tuples, dictionaries or texts of several lines are shown as unittest does, with
        what differs, and compared by what `addTypeEqualityFunc` has for their type.
        """
        compare = self._getAssertEqualityFunc(first, second)
        several_lines = isinstance(first, str) and "\n" in first and "\n" in str(second)
        if getattr(compare, "__func__", None) not in _STANDARD or several_lines:
            compare(first, second, msg=message or msg)
        elif not first == second:  # noqa: SIM201 - as unittest asks
            _fail(self, difference(first, second), message or msg)

    def assertIn(
        self, member: Any, container: Any, msg: Any = None, *, message: Any = None
    ) -> None:
        """Fail unless `member` is in `container`."""
        if member not in container:
            _fail(self, f"{member!r} not in {container!r}", message or msg)

    def assertNotIn(
        self, member: Any, container: Any, msg: Any = None, *, message: Any = None
    ) -> None:
        """Fail if `member` is in `container`."""
        if member in container:
            _fail(self, f"{container!r} matches Contains({member!r})", message or msg)

    def assertIs(self, expr1: Any, expr2: Any, msg: Any = None, *, message: Any = None) -> None:
        """Fail unless the two are the same object: what is expected, and what there is."""
        if expr1 is not expr2:
            _fail(self, f"{expr2!r} is not {expr1!r}", message or msg)

    def assertIsNot(self, expr1: Any, expr2: Any, msg: Any = None, *, message: Any = None) -> None:
        """Fail if the two are the same object."""
        if expr1 is expr2:
            _fail(self, f"{expr2!r} matches Is({expr1!r})", message or msg)

    def assertIsNone(self, obj: Any, msg: Any = None, *, message: Any = None) -> None:
        """Fail unless it is None."""
        self.assertIs(None, obj, message or msg)  # noqa: PT009

    def assertIsNotNone(self, obj: Any, msg: Any = None, *, message: Any = None) -> None:
        """Fail if it is None."""
        self.assertIsNot(None, obj, message or msg)  # noqa: PT009

    def assertIsInstance(self, obj: Any, cls: Any, msg: Any = None, *, message: Any = None) -> None:
        """Fail unless it is of this class, or of one of several."""
        if not isinstance(obj, cls):
            names = self._formatTypes(cls)
            several = f"any of ({names})" if isinstance(cls, tuple) else names
            _fail(self, f"'{obj}' is not an instance of {several}", message or msg)

    def _formatTypes(self, classOrIterable: Any) -> str:
        several = isinstance(classOrIterable, (tuple, list))
        classes = classOrIterable if several else [classOrIterable]
        return ", ".join(getattr(each, "__name__", repr(each)) for each in classes)

    def assertRaises(self, expected_exception: Any, *args: Any, **kwargs: Any) -> Any:
        """The exception that a callable raised, called with the rest of the arguments.

        Fails if it raised none; one of another type passes through. Without a callable it is a
        context, which has the exception as `exception` then.
        """
        if not args:
            return super().assertRaises(expected_exception, **kwargs)  # noqa: PT027
        function, *rest = args
        _check_classes(expected_exception)
        try:
            returned = function(*rest, **kwargs)
        except expected_exception as raised:
            return raised
        raise self.failureException(f"{function!r} returned {returned!r}")


def attach_details_of(error: MismatchError, case: Any) -> None:
    """Give the details of a mismatch to the case."""
    for name, content in details_of(error.mismatch).items():
        case.addDetailUniqueName(name, content)


def stack_of_author() -> list[traceback.FrameSummary]:
    """The stack from the author's first frame in this test to the caller, who is of ours."""
    kept = []
    for frame, line in traceback.walk_stack(sys._getframe(1)):
        name = frame.f_globals.get("__name__", "")
        if name == "whotests.testing.cases.runtest":
            break
        if "__unittest" not in frame.f_globals and not name.startswith("asyncio."):
            kept.append((frame, line))
    return list(traceback.StackSummary.extract(reversed(kept)))


def _fail(case: Assertions, text: str, message: Any) -> NoReturn:
    if message:
        text = f"{text}: {message}" if case.longMessage else str(message)
    raise case.failureException(text)


def _check_classes(expected: Any) -> None:
    classes = expected if isinstance(expected, tuple) else (expected,)
    for each in classes:
        if not (isinstance(each, type) and issubclass(each, BaseException)):
            raise TypeError(
                f"assertRaises got {each!r} to expect, which is no class of exceptions; "
                "pass a class or a tuple of classes"
            )
