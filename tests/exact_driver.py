"""Runs small programs in one context for each way in which they can go.

    python tests/exact_driver.py FOLDER [COVERAGE_FILE [branch]]

The modules in FOLDER define `f`. The helpers that they call have numbers; each program is run
without a failure, and with each of its helpers failing. Functions that suspend are run in one
context, and then once more with a context for every step, with an exception thrown in at every
step, and closed at every step. With COVERAGE_FILE, coverage.py measures; otherwise it is
`whotests run` that does.
"""

import asyncio
import builtins
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

from coverage import Coverage

from whotests.recording.session import current

LATE = 100
"""What is added to a helper's number where it fails late: on exit, when called, when set."""
STEPS = 12


class Stop(BaseException):
    """Passes the handlers of most programs."""


class Point:
    """Which helper fails, and how."""

    number = -1
    error: type[BaseException] = ValueError


def p(number: object = None, *_: object) -> int:
    """A point that a program comes by."""
    if number == Point.number and isinstance(number, int):
        raise Point.error(number)
    return number if isinstance(number, int) else 0


def yes(number: int) -> bool:
    p(number)
    return True


def no(number: int) -> bool:
    p(number)
    return False


def items(*numbers: int) -> Iterator[int]:
    for value, number in enumerate(numbers, 1):
        p(number)
        yield value


class Manager:
    """A context manager of both sorts."""

    def __init__(self, number: int, *, swallows: bool) -> None:
        self.number = number
        self.swallows = swallows

    def __enter__(self) -> int:
        return p(self.number)

    def __exit__(self, *_: object) -> bool:
        p(self.number + LATE)
        return self.swallows

    async def __aenter__(self) -> int:
        return await Pause(self.number)

    async def __aexit__(self, *_: object) -> bool:
        await Pause(self.number + LATE)
        return self.swallows


class Pause:
    """Suspends once."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __await__(self) -> Generator[None, None, int]:
        yield
        return p(self.number)


async def ticks(number: int) -> AsyncIterator[int]:
    for value in (1, 2):
        await Pause(number)
        yield value


class Thing:
    """Has an attribute that may refuse to be set."""

    a = 7

    def __init__(self, number: int) -> None:
        object.__setattr__(self, "number", p(number))

    def __setattr__(self, name: str, value: object) -> None:
        p(self.__dict__["number"] + LATE)
        object.__setattr__(self, name, value)


def same(function: Any) -> Any:
    return function


def same_if(number: object, *_: object) -> Any:
    p(number)
    return same


def raiser(number: int) -> Any:
    p(number)

    def decorate(function: Any) -> Any:
        p(number + LATE)
        return function

    return decorate


def error_type(number: int) -> type[Exception]:
    p(number)
    return ValueError if number % 2 else KeyError


def thing_type(number: object) -> type:
    p(number)
    return object


HELPERS: dict[str, object] = {
    **{helper.__name__: helper for helper in (p, yes, no, items, ticks, same, same_if, raiser)},
    "error_type": error_type,
    "thing_type": thing_type,
    "thing": Thing,
    "pause": Pause,
    "suppress": contextlib.suppress,
    "p_type": lambda number: (p(number), type)[1],
    "cm": lambda number: Manager(number, swallows=False),
    "acm": lambda number: Manager(number, swallows=False),
    "swallow": lambda number: Manager(number, swallows=True),
    "aswallow": lambda number: Manager(number, swallows=True),
}


class Programs:
    """The programs of a folder, and the switch between contexts."""

    def __init__(self, folder: Path, switch: Callable[[str], object]) -> None:
        self.folder = folder
        self.switch = switch
        self.label = ""

    def run(self) -> None:
        for path in sorted(self.folder.glob("*.py")):
            code = SourceFileLoader(path.stem, str(path)).get_code(path.stem)
            assert code is not None
            for number in points(path.read_text(encoding="utf-8")):
                for error in (ValueError, Stop) if number >= 0 else (ValueError,):
                    Point.number, Point.error = number, error
                    self.begin(f"{path.stem} {number} {error.__name__}")
                    self.once(code)
            Point.number = -1
            if self.suspends(code):
                for number in points(path.read_text(encoding="utf-8")):
                    Point.number, Point.error = number, ValueError
                    self.steps(code, f"{path.stem} {number} step", STEPS, "send")
                Point.number = -1
                for how in ("throw", "close"):
                    for last in range(STEPS):
                        self.steps(code, f"{path.stem} {how} after {last}", last, how)

    def begin(self, label: str) -> None:
        self.label = label
        self.switch(label)

    async def turn(self, number: int) -> None:
        """What a program awaits to go on in another context."""
        self.switch(f"{self.label} turn {number}")
        await asyncio.sleep(0)

    def function(self, code: CodeType) -> Any:
        namespace = {"__name__": "program", "turn": self.turn}
        exec(code, namespace)
        return namespace["f"]

    def suspends(self, code: CodeType) -> bool:
        made = self.function(code)
        return bool(made.__code__.co_flags & 0x2A0)  # generator, coroutine, async generator

    def once(self, code: CodeType) -> None:
        with contextlib.suppress(BaseException):
            function = self.function(code)
            for _ in range(4):  # some keep what is run by the next call
                made = function()
                if hasattr(made, "send"):
                    for _ in range(STEPS):
                        made.send(None)
                    made.close()

    def steps(self, code: CodeType, label: str, count: int, ending: str) -> None:
        self.begin(label)
        with contextlib.suppress(BaseException):
            frame = self.function(code)()
            for step in range(count):
                self.switch(f"{label} {step}")
                frame.send(None)
            self.switch(f"{label} end")
            if ending == "throw":
                frame.throw(ValueError())
                self.switch(f"{label} behind")
                frame.send(None)
            frame.close()


def points(text: str) -> list[int]:
    """The numbers of what can fail in a program, and -1."""
    numbers = sorted({int(number) for number in re.findall(r"(?<=[(, ])\d+(?=[),])", text)})
    late = re.findall(r"\b(?:a?cm|a?swallow|raiser|thing)\((\d+)", text)
    return [-1, *numbers, *(int(number) + LATE for number in late)]


def main(folder: Path, coverage_file: str | None, *, branch: bool) -> None:
    for name, helper in HELPERS.items():
        setattr(builtins, name, helper)
    sys.unraisablehook = lambda _: None
    if coverage_file is None:
        session = current()
        assert session is not None
        token: object = None

        def switch(label: str) -> None:
            nonlocal token
            session.close_label(token)
            token = session.open_label(label)

        Programs(folder, switch).run()
        return
    include = [str(folder / "*")]
    coverage = Coverage(data_file=coverage_file, config_file=False, include=include, branch=branch)
    coverage.set_option("run:core", "ctrace")
    coverage.start()
    Programs(folder, coverage.switch_context).run()
    coverage.stop()
    coverage.save()


if __name__ == "__main__":
    _, folder, *coverage_file = sys.argv
    main(
        Path(folder).resolve(),
        coverage_file[0] if coverage_file else None,
        branch=coverage_file[1:] == ["branch"],
    )
