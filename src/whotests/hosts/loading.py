"""Finds test cases by what `unittest` calls them: names, paths, nothing at all."""

import importlib
import os
import sys
import traceback
import unittest
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from whotests.hosts.scenarios import apart

__all__ = [
    "Broken",
    "Entry",
    "Unittest",
    "called",
    "entries",
    "importable_part",
    "is_suite",
    "leaves",
    "without",
]

_FAILED: type = unittest.loader._FailedTest  # type: ignore[attr-defined]


class Broken(NamedTuple):
    """Something that could not be loaded."""

    name: str
    """The module, or what was asked for."""
    text: str
    """Why: a traceback, or a sentence."""


class Entry:
    """A test case as it was loaded."""

    __slots__ = ("group", "suite", "test", "test_id")

    def __init__(self, test_id: str, group: str, test: Any, suite: Any) -> None:
        self.test_id = test_id
        """Its id, with a number behind it where another test before it has the same."""
        self.group = group
        """What it shares fixtures with, or ''."""
        self.test = test
        self.suite = suite
        """The suite with a way of its own that it runs in; None: it runs by itself."""


class Unittest:
    """Loads as `python -m unittest` does, and goes on where that would end at a failure."""

    def __init__(self, cwd: str, options: Sequence[str] = ()) -> None:
        """`options` are those of discovery: `-s`, `-p`, `-t`. Raises ValueError for others."""
        self._cwd = cwd
        self._start, self._pattern, self._top = "", "test*.py", ""
        self.broken: list[Broken] = []
        self._loader = unittest.TestLoader()
        words = list(options)
        while words:
            word = words.pop(0)
            if word not in ("-s", "-p", "-t") or not words:
                raise ValueError(f"{word!r} is no option of unittest's discovery: -s, -p or -t")
            value = words.pop(0)
            if word == "-p":
                self._pattern = value
            elif word == "-s":
                self._start = value
            else:
                self._top = value

    def load(self, targets: Sequence[str]) -> Iterator[Any]:
        """Suites and cases, in order. What cannot be loaded is then in `broken`."""
        if not targets:
            yield from self._safely(self._start or ".", self._discover, self._start or self._cwd)
        for target in targets:
            yield from self._safely(target, self._load_one, target)

    def _safely(self, name: str, load: Any, argument: str) -> Iterator[Any]:
        try:
            found = load(argument)
        except KeyboardInterrupt:
            raise
        except BaseException:
            self.broken.append(Broken(name, traceback.format_exc()))
            return
        yield from self._without_broken(found, target=name)

    def _without_broken(self, found: Any, *, target: str) -> Iterator[Any]:
        failed = list(_failed_in(found))
        if not failed:
            yield found
            return
        for each in failed:
            error = each._exception
            name = each._testMethodName
            self.broken.append(Broken(target if target.endswith(name) else name, _text_of(error)))
        kept = without(found, failed)
        if kept is not None:
            yield kept

    def _load_one(self, target: str) -> Any:
        path, _, inner = target.partition("::")
        if os.path.isdir(os.path.join(self._cwd, path)):
            return self._discover(path)
        if path.endswith(".py") and os.path.isfile(os.path.join(self._cwd, path)):
            name = ".".join([self._module_of(path), *inner.split("::")]) if inner else ""
            return self._by_name(name or self._module_of(path))
        return self._by_name(target)

    def _discover(self, start: str) -> Any:
        folder = os.path.normpath(os.path.join(self._cwd, start))
        top = os.path.join(self._cwd, self._top) if self._top else folder
        while not self._top and os.path.isfile(os.path.join(top, "__init__.py")):
            top = os.path.dirname(top)
        return self._loader.discover(folder, pattern=self._pattern, top_level_dir=top)

    def _module_of(self, path: str) -> str:
        """The name under which `python -m unittest PATH` imports a file."""
        whole = os.path.normpath(os.path.join(self._cwd, path))
        below = os.path.relpath(whole, self._cwd)
        if below.startswith(os.pardir):
            top = os.path.dirname(whole)
            while os.path.isfile(os.path.join(top, "__init__.py")):
                top = os.path.dirname(top)
            if top not in sys.path:
                sys.path.insert(0, top)
            below = os.path.relpath(whole, top)
        return below[: -len(".py")].replace(os.sep, ".")

    def _by_name(self, name: str) -> Any:
        wanted = name.partition(" #")[0]
        if not any(mark in wanted for mark in "([ "):
            found = self._loader.loadTestsFromName(wanted)
            if not any(_failed_in(found)):
                return self._or_its_suite(found, wanted)
        else:
            found = None
        # A test that exists only once its module is loaded as a whole: by scenarios, for instance.
        module = importable_part(wanted)
        if module is not None and module != wanted:
            chosen = called(wanted, self._by_name(module))
            if chosen is not None:
                return chosen
        if found is None:
            raise LookupError(f"no test is called {name!r}")
        return found

    def _or_its_suite(self, found: Any, name: str) -> Any:
        """What a module's `test_suite` gives, where there is nothing else in it."""
        module = sys.modules.get(name)
        make = getattr(module, "test_suite", None)
        if make is None or hasattr(module, "load_tests") or any(leaves(found)):
            return found
        return make()


def entries(loaded: Iterable[Any]) -> dict[str, Entry]:
    """The tests in suites and cases, by their ids, in their order."""
    found: dict[str, Entry] = {}
    again: dict[str, int] = {}
    groups: dict[type, str] = {}
    suites = 0

    def add(test: Any, group: str, suite: Any) -> None:
        test_id = _id_of(test)
        if test_id in found:
            own = test_id
            while test_id in found:
                again[own] = again.get(own, 1) + 1
                test_id = f"{own} #{again[own]}"
        found[test_id] = Entry(test_id, group, test, suite)

    def walk(parts: Iterable[Any]) -> None:
        nonlocal suites
        for part in parts:
            kind = type(part)
            group = groups.get(kind)
            if group is not None:
                add(part, group, None)
            elif not is_suite(part):
                groups[kind] = _group_of(kind)
                add(part, groups[kind], None)
            elif runs_in_its_own_way(part):
                suites += 1
                group = f"suite {suites} {kind.__qualname__}"
                for test in list(leaves(part)):
                    add(test, group, part)
            else:
                walk(part)

    walk(map(apart, loaded))
    return found


def called(name: str, loaded: Any) -> Any:
    """Those tests in a suite that have this id, or one that begins so; None if there are none."""
    loaded = apart(loaded)
    gone = [
        test
        for test in leaves(loaded)
        if (test_id := _id_of(test)) != name
        and not (test_id.startswith(name) and test_id[len(name)] in ".([ ")
    ]
    left = without(loaded, gone)
    return left if any(True for _ in leaves(left)) else None


def is_suite(part: Any) -> bool:
    """Whether it is made of tests, rather than one."""
    return isinstance(part, unittest.BaseTestSuite) or hasattr(part, "__iter__")


_ORDINARY = ("unittest.suite", "twisted.trial._asyncrunner", "twisted.trial.runner")


def runs_in_its_own_way(suite: Any) -> bool:
    """Whether it does more than to run its tests one after the other."""
    if "run" in getattr(suite, "__dict__", ()):
        return True
    for name in ("run", "__call__"):
        for base in type(suite).__mro__:
            if name in vars(base):
                if base.__module__ not in _ORDINARY:
                    return True
                break
    return False


def _group_of(kind: type) -> str:
    module = sys.modules.get(kind.__module__)
    if any(hasattr(module, name) for name in ("setUpModule", "tearDownModule")):
        return kind.__module__
    for name in ("setUpClass", "tearDownClass"):
        own = getattr(getattr(kind, name, None), "__func__", None)
        if own is not None and own is not getattr(unittest.TestCase, name).__func__:
            return f"{kind.__module__}.{kind.__qualname__}"
    return ""


def _id_of(test: Any) -> str:
    """What a test calls itself; where it cannot say so, its class and method."""
    try:
        return str(test.id())
    except Exception:
        kind = type(test)
        return f"{kind.__module__}.{kind.__qualname__}.{getattr(test, '_testMethodName', 'test')}"


def leaves(part: Any) -> Iterator[Any]:
    """The tests in a suite, or the test that it is."""
    cases: set[type] = {type(None)}  # of most there are many
    within = [iter((part,))]
    while within:
        for inner in within[-1]:
            kind = type(inner)
            if kind not in cases:
                if is_suite(inner):
                    within.append(iter(inner))
                    break
                cases.add(kind)
            if inner is not None:
                yield inner
        else:
            within.pop()


def _failed_in(part: Any) -> Iterator[Any]:
    for test in leaves(part):
        if isinstance(test, _FAILED):
            yield test


def without(part: Any, gone: Iterable[Any]) -> Any:
    """The suite without these tests, or None; suites of whatever kind are kept."""
    return _rest_of(part, frozenset(map(id, gone)))


def _rest_of(part: Any, gone: frozenset[int]) -> Any:
    if not is_suite(part):
        return None if id(part) in gone else part
    part._tests = [kept for inner in part if (kept := _rest_of(inner, gone)) is not None]
    return part


def _text_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(type(error), error, None))


def importable_part(name: str) -> str | None:
    """The longest beginning of a dotted name that can be imported."""
    parts = name.replace("(", ".").replace("[", ".").split(".")
    while parts:
        try:
            importlib.import_module(".".join(parts))
        except ImportError:
            parts.pop()
        else:
            return ".".join(parts)
    return None
