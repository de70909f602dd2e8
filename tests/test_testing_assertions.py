"""What test cases assert, by unittest's words and testtools', and by matchers of both kinds."""

import re
import unittest
from typing import Any

import hamcrest
import pytest
import testtools.matchers

from whotests.testing import ExpectedException, MismatchError, TestCase, assert_that
from whotests.testing.details.content import text_content
from whotests.testing.doubles import ExtendedTestResult

CASE = TestCase("run")


def refusal(name: str, *args: Any, **kwargs: Any) -> str:
    """What an assertion says that fails."""
    with pytest.raises(AssertionError) as raised:
        getattr(CASE, name)(*args, **kwargs)
    return str(raised.value)


def outcome_of(case: Any) -> tuple[str, dict[str, str]]:
    """The one outcome of a case, and its details as text."""
    result = ExtendedTestResult()
    case.run(result)
    _, (name, _, *details), _ = result._events
    return name, {key: value.as_text() for key, value in details[0].items()} if details else {}


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        ("assertEqual", (1, 2), "1 != 2"),
        ("assertEqual", ("cat", "dog"), "'cat' != 'dog'"),
        ("assertIn", (3, [1]), "3 not in [1]"),
        ("assertNotIn", (1, [1]), "[1] matches Contains(1)"),
        ("assertIs", (None, 1), "1 is not None"),
        ("assertIsNot", (None, None), "None matches Is(None)"),
        ("assertIsNone", (0,), "0 is not None"),
        ("assertIsNotNone", (None,), "None matches Is(None)"),
        ("assertIsInstance", (1, str), "'1' is not an instance of str"),
        ("assertIsInstance", (1, (str, bytes)), "'1' is not an instance of any of (str, bytes)"),
    ],
)
def test_words(name: str, args: tuple[Any, ...], text: str) -> None:
    """A message is added by position, as `msg` and as `message`; longMessage is kept to."""
    assert refusal(name, *args) == text
    assert refusal(name, *args, "why") == f"{text}: why"
    assert refusal(name, *args, msg="why") == f"{text}: why"
    assert refusal(name, *args, message="why") == f"{text}: why"
    short = TestCase("run")
    short.longMessage = False
    with pytest.raises(AssertionError, match=r"^why$"):
        getattr(short, name)(*args, "why")


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("assertEqual", (1, 1.0)),
        ("assertIn", ("a", "cat")),
        ("assertNotIn", ("x", "cat")),
        ("assertIs", (None, None)),
        ("assertIsNot", ([], [])),
        ("assertIsNone", (None,)),
        ("assertIsNotNone", (0,)),
        ("assertIsInstance", (True, (str, int))),
        ("assertIsInstance", (1, int | str)),
    ],
)
def test_what_holds(name: str, args: tuple[Any, ...]) -> None:
    """Assertions that hold say nothing."""
    assert getattr(CASE, name)(*args) is None


def test_long_things() -> None:
    """What does not fit into a line is shown below each other, texts as they are written."""
    text = refusal("assertEqual", ["x" * 80], "first\n'''\n\x07\n")
    assert text == (
        "!=:\nreference = ['" + "x" * 80 + "']\nactual    = '''\\\nfirst\n\\'''\n\\x07\n'''\n"
    )
    assert refusal("assertEqual", b"a\n\xff" + b"x" * 70, None) == (
        "!=:\nreference = b'''\\\na\n\\xff" + "x" * 70 + "'''\nactual    = None\n"
    )


def test_sets() -> None:
    """Of two sets the items are shown that only one has, even if they have no order."""
    assert refusal("assertEqual", {1, 2}, {2, 3}) == (
        "!=:\nItems in expected but not in actual:\n[1]\nItems in actual but not in expected:\n[3]"
    )
    assert "1j" in refusal("assertEqual", {1j, 2j}, {2j})


@pytest.mark.parametrize(
    ("first", "second"),
    [([1, 2], [1, 3]), ({"a": 1}, {"a": 2}), ((1,), (2,)), ("a\nb\n", "a\nc\n")],
)
def test_differences_of_unittest(first: object, second: object) -> None:
    """Two lists, dictionaries, tuples or texts are shown as unittest shows them."""
    plain = unittest.TestCase("run")
    with pytest.raises(AssertionError) as raised:
        plain.assertEqual(first, second, "why")
    assert refusal("assertEqual", first, second, "why") == str(raised.value)


def test_registered_comparison() -> None:
    """What `addTypeEqualityFunc` has for a type decides, even where the two are equal."""

    def compare(first: object, second: object, msg: object = None) -> None:
        raise AssertionError(f"compared {first} and {second}: {msg}")

    case = TestCase("run")
    case.addTypeEqualityFunc(int, compare)
    with pytest.raises(AssertionError, match="compared 1 and 1: why"):
        case.assertEqual(1, 1, "why")


def test_assert_raises_returns() -> None:
    """assertRaises returns the exception, and fails with the callable and what it returned."""
    raised = CASE.assertRaises((KeyError, IndexError), [].pop)
    assert isinstance(raised, IndexError)
    assert re.fullmatch(
        r"<built-in method .*> returned 1", refusal("assertRaises", KeyError, [1].pop)
    )
    with pytest.raises(IndexError):
        CASE.assertRaises(KeyError, [].pop)


def test_assert_raises_as_context() -> None:
    """As a context it has the exception, and says with its message what was not raised."""
    with CASE.assertRaises(KeyError) as context:
        raise KeyError("gone")
    assert context.exception.args == ("gone",)
    with pytest.raises(AssertionError, match="KeyError not raised : why"):  # noqa: SIM117
        with CASE.assertRaises(KeyError, msg="why"):
            pass


@pytest.mark.parametrize("args", [(KeyError("gone"), str), ("KeyError", str), ((1,), str)])
def test_assert_raises_misused(args: tuple[Any, ...]) -> None:
    """What is no exception class is a TypeError, never a pass."""
    with pytest.raises(TypeError, match="assertRaises got"):
        CASE.assertRaises(*args)


def test_assert_raises_calls_anything() -> None:
    """What is not callable raises the TypeError that is expected, or another than expected."""
    assert "not callable" in str(CASE.assertRaises(TypeError, None))
    with pytest.raises(TypeError, match="not callable"):
        CASE.assertRaises(KeyError, None)


def test_matcher_of_testtools() -> None:
    """A matcher with `match` passes, or fails with what its mismatch says and our words."""
    equals = testtools.matchers.Equals(2)
    assert_that(2, equals)
    assert refusal("assertThat", 1, equals) == "1 != 2"
    assert refusal("assertThat", 1, equals, "why") == "1 != 2: why"
    assert refusal("assertThat", 1, equals, verbose=True) == (
        "Match failed. Matchee: 1\nMatcher: Equals(2)\nDifference: 1 != 2\n"
    )


def test_matcher_of_hamcrest() -> None:
    """A matcher of PyHamcrest's passes, or fails with PyHamcrest's own words."""
    matcher = hamcrest.has_entries(a=hamcrest.greater_than(2), b=hamcrest.only_contains(1, 2))
    assert_that({"a": 3, "b": [1]}, matcher)
    for thing in ({"a": 1, "b": [3]}, {"a": 3, "b": ["x"]}, {}, 1):
        with pytest.raises(AssertionError) as theirs:
            hamcrest.assert_that(thing, matcher)  # type: ignore[misc]
        assert refusal("assertThat", thing, matcher) == str(theirs.value).strip()


def test_matcher_made_like_hamcrests() -> None:
    """`matches` and `describe_to` are enough."""

    class Even:
        def matches(self, item: Any, description: Any = None) -> bool:
            return bool(item % 2 == 0)

        def describe_to(self, description: Any) -> None:
            description.append_list("[", ", ", "]", ["even", 2])

    assert_that(2, Even())
    assert refusal("assertThat", 3, Even()) == "Expected: ['even', <2>]\n     but: was <3>"


class Odd:
    """Matches nothing; what is not matched has a detail."""

    def match(self, thing: object) -> "Odd":
        return self

    def describe(self) -> str:
        return "odd"

    def get_details(self) -> dict[str, Any]:
        return {"log": text_content("what happened")}


@pytest.mark.parametrize("matcher", [re.compile("x"), object(), "x", testtools.matchers.Equals])
def test_no_matcher(matcher: Any) -> None:
    """What is no matcher is a TypeError, a regular expression and a matcher's class, too."""
    with pytest.raises(TypeError):
        CASE.assertThat("x", matcher)


@pytest.mark.parametrize("answer", [True, False, "", object()])
def test_no_mismatch(answer: object) -> None:
    """A `match` that gives neither None nor a mismatch is a TypeError, never a pass."""

    class Matcher:
        def match(self, thing: object) -> object:
            return answer

    with pytest.raises(TypeError, match="neither None nor a mismatch"):
        CASE.assertThat("x", Matcher())


def test_details_of_mismatch() -> None:
    """The details of a mismatch become the test's, under names that are free."""

    class Case(TestCase):
        def test(self) -> None:
            self.addDetail("log", text_content("before"))
            self.assertThat(1, Odd(), "why")

    outcome, details = outcome_of(Case("test"))
    assert outcome == "addFailure"
    assert details["log"] == "before"
    assert details["log-1"] == "what happened"
    assert "MismatchError: odd: why" in details["traceback"]


class Expecting(TestCase):
    __test__ = False

    def test(self) -> None:
        self.expectThat(1, Odd())
        self.expectThat(2, testtools.matchers.Equals(2))
        self.expectThat(3, Odd(), "third")
        self.reached = True

    def test_skipped(self) -> None:
        self.expectThat(1, Odd())
        self.skipTest("and skipped")

    @unittest.expectedFailure
    def test_expected(self) -> None:
        self.expectThat(1, Odd())

    async def test_async(self) -> None:
        self.expectThat(1, Odd())


def test_expect_that() -> None:
    """All expectations are looked at; the test fails at its end, with each one and its place."""
    case = Expecting("test")
    outcome, details = outcome_of(case)
    assert outcome == "addFailure"
    assert case.reached
    assert details["Failed expectation"].endswith("MismatchError: odd")
    assert details["Failed expectation-1"].endswith("MismatchError: odd: third")
    assert details["traceback"].endswith("AssertionError: odd\nodd: third\n")
    assert details["log"] == details["log-1"] == "what happened"
    for name in ("test", "test_async"):
        _, details = outcome_of(Expecting(name))
        (line,) = re.findall(r"^ *File .*", details["Failed expectation"], re.MULTILINE)
        assert line.endswith(f"in {name}")


def test_expect_that_and_more() -> None:
    """A failed expectation counts more than a skip, and is a failure where one is expected."""
    assert outcome_of(Expecting("test_skipped"))[0] == "addFailure"
    assert outcome_of(Expecting("test_expected"))[0] == "addExpectedFailure"


def test_expected_exception() -> None:
    """What is expected may be raised, by its class, text or matcher; subclasses are."""
    with ExpectedException(LookupError):
        raise KeyError
    with ExpectedException(ValueError, "b.d"):
        raise ValueError("bad")
    with ExpectedException(ValueError, hamcrest.has_string("bad")):
        raise ValueError("bad")


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((KeyError,), "KeyError not raised."),
        ((KeyError, None, "why"), "KeyError not raised. : why"),
        ((ValueError, "good"), "'bad' does not match /good/"),
        ((ValueError, "good", "why"), "'bad' does not match /good/: why"),
        ((ValueError, hamcrest.has_string("good")), "Expected: an object with str 'good'"),
    ],
)
def test_unexpected_exception(args: tuple[Any, ...], text: str) -> None:
    """An absent exception, or another text, is an AssertionError that says so."""

    def go_on() -> None:
        if args[0] is ValueError:
            raise ValueError("bad")

    with pytest.raises(AssertionError, match=f"^{re.escape(text)}"), ExpectedException(*args):
        go_on()


def test_other_exception_passes_through() -> None:
    """An exception of another class is not touched."""
    with pytest.raises(KeyError), ExpectedException(ValueError):
        raise KeyError


def test_mismatch_error_is_lazy() -> None:
    """The text of a mismatch is made when somebody reads it."""
    calls: list[str] = []

    class Mismatch:
        def describe(self) -> str:
            calls.append("describe")
            return "told"

    error = MismatchError(1, 2, Mismatch())  # type: ignore[arg-type]
    assert calls == []
    assert str(error) == "told"
