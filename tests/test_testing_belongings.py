"""What a test uses and leaves no trace of: details, fixtures, patches, directories, numbers."""

import os
import unittest
from itertools import islice
from pathlib import Path
from typing import Any

import fixtures
import pytest

from whotests.testing import (
    DecorateTestCaseResult,
    ErrorHolder,
    Nullary,
    PlaceHolder,
    TestCase,
    TestResult,
    WithAttributes,
    attr,
    gather_details,
    unique_text_generator,
)
from whotests.testing.details.content import Content, text_content
from whotests.testing.details.content_types import UTF8_TEXT
from whotests.testing.doubles import ExtendedTestResult


def run_with(step: Any) -> tuple[str, dict[str, str]]:
    """The outcome and details of a test that does one step, called with the case."""

    class Case(TestCase):
        def runTest(self) -> None:
            step(self)

    result = ExtendedTestResult()
    Case().run(result)
    _, (name, _, *details), _ = result._events
    return name, {key: value.as_text() for key, value in details[0].items()} if details else {}


def test_details() -> None:
    """Details are reported with a success, too; names that are taken get a number."""

    def step(case: TestCase) -> None:
        case.addDetail("log", text_content("one"))
        case.addDetailUniqueName("log", text_content("two"))
        case.addDetailUniqueName("log", text_content("three"))

    assert run_with(step) == ("addSuccess", {"log": "one", "log-1": "two", "log-2": "three"})


def test_gathered_details_are_copies() -> None:
    """Gathered details are read at once: what they are read from may go."""
    pieces = [b"now"]
    source = {"log": Content(UTF8_TEXT, lambda: pieces)}
    target = {"log": text_content("own")}
    gather_details(source, target)
    pieces[:] = [b"later"]
    assert target["log"].as_text() == "own"
    assert target["log-1"].as_text() == "now"


class Plain:
    """A fixture with setUp and cleanUp only."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def setUp(self) -> None:
        self.log.append("setUp")

    def cleanUp(self) -> None:
        self.log.append("cleanUp")


def test_plain_fixture() -> None:
    """Anything with setUp and cleanUp is a fixture."""
    fixture = Plain()
    used: list[Any] = []
    assert run_with(lambda case: used.append(case.useFixture(fixture)))[0] == "addSuccess"
    assert used == [fixture]
    assert fixture.log == ["setUp", "cleanUp"]


def test_no_fixture() -> None:
    """What cannot be set up or cleaned up is a TypeError that names what is missing."""
    name, details = run_with(lambda case: case.useFixture(object()))
    assert name == "addError"
    assert "has no setUp()" in details["traceback"]


class Noisy(fixtures.Fixture):
    """A fixture of the package `fixtures` that attaches a detail, and may fail then."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def _setUp(self) -> None:
        self.addDetail("log", text_content("set up"))
        if self.error is not None:
            raise self.error


class NoisyOldStyle(Noisy):
    """As fixtures were written once."""

    def setUp(self) -> None:
        super(Noisy, self).setUp()
        Noisy._setUp(self)

    def _setUp(self) -> None:
        """What the base class calls."""


@pytest.mark.parametrize("kind", [Noisy, NoisyOldStyle])
def test_details_of_fixtures(kind: Any) -> None:
    """A fixture's details become the test's, those that come late and those of a failure."""

    def use(case: TestCase) -> None:
        case.addDetail("log", text_content("own"))
        fixture = case.useFixture(kind())
        fixture.addDetail("late", text_content("later"))

    assert run_with(use) == ("addSuccess", {"log": "own", "log-1": "set up", "late": "later"})
    name, details = run_with(lambda case: case.useFixture(kind(KeyError("gone"))))
    assert name == "addError"
    assert details["log"] == "set up"
    assert "KeyError: 'gone'" in details["traceback"]


def test_fixture_without_details() -> None:
    """When the details of a failed fixture cannot be read, both errors are reported."""

    class Broken(NoisyOldStyle):
        def getDetails(self) -> Any:
            raise LookupError("no details")

    name, details = run_with(lambda case: case.useFixture(Broken(KeyError("gone"))))
    assert name == "addError"
    assert "gone" in details["traceback"]
    assert "no details" in details["traceback-1"]


def test_failing_clean_up_of_fixture() -> None:
    """What a fixture's cleanUp raises is an error of the test."""

    def clean_up(_: object) -> None:
        raise KeyError("gone")

    fixture = fixtures.FunctionFixture(lambda: None, clean_up)
    assert run_with(lambda case: case.useFixture(fixture))[0] == "addError"


class Owner:
    """Has an attribute of each kind."""

    inherited = "class"

    def __init__(self) -> None:
        self.own = "own"
        self._value = "value"

    @staticmethod
    def static() -> str:
        return "static"

    @classmethod
    def of_class(cls) -> str:
        return cls.__name__

    @property
    def value(self) -> str:
        return self._value

    @value.setter
    def value(self, value: str) -> None:
        self._value = value

    @value.deleter
    def value(self) -> None:
        raise AssertionError("deleted")


class Slotted:
    __slots__ = ("own",)

    def __init__(self) -> None:
        self.own = "own"


class Proxy:
    """Stands for another object, attribute by attribute."""

    def __init__(self, other: object) -> None:
        self.__dict__["_other"] = other

    def __getattr__(self, name: str) -> Any:
        return getattr(self._other, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._other, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._other, name)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Owner(), "own"),
        (Owner(), "inherited"),
        (Owner(), "value"),
        (Owner(), "absent"),
        (Owner, "inherited"),
        (Owner, "static"),
        (Owner, "of_class"),
        (type("Derived", (Owner,), {}), "static"),
        (Slotted(), "own"),
        (Proxy(Owner()), "own"),
        (Proxy(Owner()), "inherited"),
        (os, "getcwd"),
        (os, "absent"),
    ],
)
def test_patch(owner: Any, name: str) -> None:
    """An attribute is another during the test, and afterwards what it was, to the very kind."""

    def state() -> tuple[Any, Any]:
        own = dict(vars(owner)) if hasattr(owner, "__dict__") else {}
        return own.get(name, "absent"), getattr(owner, name, "absent")

    before = state()
    seen = []

    def step(case: TestCase) -> None:
        case.patch(owner, name, "patched")
        case.patch(owner, name, "twice")
        seen.append(getattr(owner, name))

    assert run_with(step)[0] == "addSuccess"
    assert seen == ["twice"]
    assert state() == before


def test_patch_restored_early() -> None:
    """What patch returns can put the attribute back before the test is over."""
    owner = Owner()

    def step(case: TestCase) -> None:
        patch = case.patch(owner, "own", "patched")
        patch.restore()
        assert owner.own == "own"
        owner.own = "new"

    assert run_with(step)[0] == "addSuccess"
    assert owner.own == "new"


def test_temporary_directory() -> None:
    """One directory per test, empty, there for all clean-ups, gone afterwards."""
    seen: list[Path] = []

    def step(case: TestCase) -> None:
        case.addCleanup(lambda: seen[0].joinpath("sub").stat())
        directory = case.temporary_directory()
        seen.append(directory)
        assert case.temporary_directory() == directory
        assert list(directory.iterdir()) == []
        (directory / "sub").mkdir()
        (directory / "sub" / "file").write_text("x")
        (directory / "sub").chmod(0o500)
        os.symlink(directory, directory / "loop")

    assert run_with(step)[0] == "addSuccess"
    assert not seen[0].exists()


def test_temporary_directory_removed_by_test() -> None:
    """A test may remove its directory itself."""
    assert run_with(lambda case: case.temporary_directory().rmdir())[0] == "addSuccess"


def test_mktemp() -> None:
    """mktemp gives paths that do not exist, each another one, in the test's directory."""
    seen: list[str] = []

    def step(case: TestCase) -> None:
        seen.extend([case.mktemp(), case.mktemp()])
        assert not any(os.path.exists(path) for path in seen)
        os.mkdir(seen[0])
        assert {os.path.dirname(path) for path in seen} == {str(case.temporary_directory())}

    assert run_with(step)[0] == "addSuccess"
    assert len(set(seen)) == 2
    assert not os.path.exists(seen[0])


def test_unique_values() -> None:
    """Integers count from 1; strings have the id or a prefix; texts are not ASCII."""
    case = TestCase("run")
    assert [case.getUniqueInteger(), case.getUniqueInteger()] == [1, 2]
    assert case.getUniqueString() == f"{case.id()}-3"
    assert case.getUniqueString("x") == "x-4"
    texts = list(islice(unique_text_generator("x"), 1000))
    assert len(set(texts)) == 1000
    assert texts[0] == "x-\u1e00"
    assert texts[256] == "x-\u1e00\u1e01"


def test_attributes() -> None:
    """Words that are attached to a test are in its id, in order, and not in another's."""

    class Case(WithAttributes, TestCase):
        @attr("slow")
        @attr("fast", "net")
        def test_words(self) -> None:
            pass

        def test_none(self) -> None:
            pass

    assert Case("test_words").id().endswith("Case.test_words[fast,net,slow]")
    assert Case("test_none").id().endswith("Case.test_none")


def test_nullary() -> None:
    """A callable with arguments looks as it did without."""
    call = Nullary(int, "11", base=2)
    assert call() == 3
    assert repr(call) == repr(int)


@pytest.mark.parametrize("on", ["case", "result"])
def test_locals_in_tracebacks(on: str) -> None:
    """Local variables are shown where the case or the result asks for them."""

    class Case(TestCase):
        tb_locals = on == "case"

        def test(self) -> None:
            secret = "visible"  # noqa: F841
            self.fail("told")

    for wanted in (True, False):
        result = TestResult(tb_locals=wanted)
        Case("test").run(result)
        ((_, text),) = result.failures
        assert ("secret = 'visible'" in text) is (wanted or on == "case")


def test_place_holder() -> None:
    """A place holder reports what it was made with, and can be run again."""
    details = {"log": text_content("told")}
    holder = PlaceHolder("some id", "words", details, "addSkip", tags={"slow"})
    for _ in range(2):
        result = ExtendedTestResult()
        holder.run(result)
        assert result._events == [
            ("tags", {"slow"}, set()),
            ("startTest", holder),
            ("addSkip", holder, details),
            ("stopTest", holder),
            ("tags", set(), {"slow"}),
        ]
    assert (str(holder), holder.shortDescription()) == ("some id", "words")


def test_error_holder() -> None:
    """An error holder is an error with that exception's traceback, to plain results as well."""
    try:
        raise KeyError("gone")
    except KeyError as raised:
        holder = ErrorHolder("some id", (KeyError, raised, raised.__traceback__))
    result = unittest.TestResult()
    holder.run(result)
    ((test, text),) = result.errors
    assert test is holder
    assert "KeyError: 'gone'" in text


def test_decorated_case() -> None:
    """A decorated case is run with the other result; `after_run` is called, come what may."""
    log: list[str] = []
    other = unittest.TestResult()
    case = DecorateTestCaseResult(
        PlaceHolder("some id", outcome="addFailure"),
        lambda result: other,
        before_run=lambda result: log.append("before"),
        after_run=lambda result: log.append("after"),
    )
    case.run(unittest.TestResult())
    case(None)
    assert len(other.failures) == 2
    assert log == ["before", "after"] * 2
    assert case.id() == "some id"
    case.extra = 1
    assert case.decorated.extra == 1
    del case.extra
    assert not hasattr(case, "extra")
