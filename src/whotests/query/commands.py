"""The command that runs just some tests again, for their own runner.

May import types only. Refuses to know how tests are found: ids are the runner's own.
"""

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from whotests.types import Runner, TestName

__all__ = ["commands_for"]

MOST: Final = 20
"""More ids than this are collapsed to functions, then classes, then files or modules."""

_PROGRAMS: Final = {
    Runner.PYTEST: ("pytest",),
    Runner.UNITTEST: ("python", "-m", "unittest"),
    Runner.TRIAL: ("trial",),
}


def commands_for(tests: Iterable[tuple[Runner, TestName]]) -> tuple[str, ...]:
    """One line to paste into a shell for each runner that can run tests by their ids.

    Runs at least these tests; more of them when the ids had to be collapsed.
    """
    names: dict[Runner, list[str]] = {}
    for runner, name in tests:
        names.setdefault(runner, []).append(name)
    return tuple(
        _joined((*_PROGRAMS[runner], *_collapsed(runner, names[runner])))
        for runner in _PROGRAMS
        if runner in names
    )


def _collapsed(runner: Runner, names: Sequence[str]) -> list[str]:
    steps: tuple[Callable[[str], str], ...]
    if runner is Runner.PYTEST:
        steps = (_same, _pytest_function, _pytest_class, _pytest_file)
    else:
        steps = (_same, _dotted_parent, lambda name: _dotted_parent(_dotted_parent(name)))
    shorter: list[str] = []
    for step in steps:
        shorter = list(dict.fromkeys(map(step, names)))
        if len(shorter) <= MOST:
            break
    # A file that is named stands for the classes in it, too.
    named = frozenset(shorter)
    return [name for name in shorter if not any(part in named for part in _around(name))]


def _around(name: str) -> Iterator[str]:
    """The ids of what a pytest id lies in."""
    while (cut := name.rfind("::")) > 0:
        name = name[:cut]
        yield name


def _same(name: str) -> str:
    return name


def _pytest_function(name: str) -> str:
    # A parameter may hold '::' and brackets of its own: cut at the first '['.
    return name.partition("[")[0]


def _pytest_class(name: str) -> str:
    path, *inner = _pytest_function(name).split("::")
    return "::".join((path, *inner[:-1]))


def _pytest_file(name: str) -> str:
    return _pytest_function(name).partition("::")[0]


def _dotted_parent(name: str) -> str:
    return name.rpartition(".")[0] or name


def _joined(words: Sequence[str]) -> str:
    if sys.platform == "win32":
        import subprocess  # much to import, and not wanted elsewhere

        return subprocess.list2cmdline(words)
    return shlex.join(words)
