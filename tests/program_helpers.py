"""What the programs of `program_maker` call: they raise, answer and suspend by a schedule.

The helpers answer by a sequence of numbers of their own, the same in every run of a program.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress as _suppress
from random import Random
from types import TracebackType
from typing import Any

__all__ = ["helpers"]

_CALLS = 400
"""Calls of helpers after which every test is false and nothing suspends: programs end."""


class FirstError(Exception):
    """One that handlers take."""


class SecondError(Exception):
    """Another one."""


class ThirdError(BaseException):
    """One that few handlers take."""


class Thing:
    """Takes attributes and items; may be iterated once."""

    _answers: "_Answers"

    def __init__(self, answers: "_Answers") -> None:
        object.__setattr__(self, "_answers", answers)

    def __setattr__(self, name: str, value: object) -> None:
        self._answers.maybe_raise()
        object.__setattr__(self, name, value)

    def __setitem__(self, key: object, value: object) -> None:
        self._answers.maybe_raise()

    def __iter__(self) -> Iterator[int]:
        self._answers.maybe_raise()
        return iter((1, 2))


class Manager:
    """A context manager of both sorts; may swallow, and may raise on either way."""

    def __init__(self, answers: "_Answers", *, swallows: bool) -> None:
        self.answers = answers
        self.swallows = swallows

    def __enter__(self) -> "Manager":
        self.answers.maybe_raise()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        self.answers.maybe_raise()
        return self.swallows

    async def __aenter__(self) -> "Manager":
        await Pause(self.answers)
        self.answers.maybe_raise()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        await Pause(self.answers)
        self.answers.maybe_raise()
        return self.swallows


class Pause:
    """Suspends whoever awaits it, mostly; may raise."""

    def __init__(self, answers: "_Answers") -> None:
        self.answers = answers

    def __await__(self) -> Generator[None, None, int]:
        while self.answers.number(4) == 3:
            yield
        yield
        self.answers.maybe_raise()
        return self.answers.number(3)


class Ticks:
    """An asynchronous iterator of a few numbers."""

    def __init__(self, answers: "_Answers") -> None:
        self.answers = answers

    def __aiter__(self) -> "Ticks":
        self.answers.maybe_raise()
        return self

    async def __anext__(self) -> int:
        await Pause(self.answers)
        if self.answers.number(3) == 0:
            raise StopAsyncIteration
        return 1


class _Answers:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.calls = 0
        self.log: list[object] = []
        # Some programs fail often, some never.
        self.failing = (0, 3, 8, 20)[seed % 4]

    def number(self, bound: int) -> int:
        self.calls += 1
        if self.calls > _CALLS:
            return 0
        return self.random.randrange(bound)

    def maybe_raise(self) -> None:
        if self.failing and self.number(self.failing) == 1:
            raise (
                FirstError,
                SecondError,
                ThirdError,
                ExceptionGroup("", [FirstError(), SecondError()]),
            )[self.random.randrange(4)]


def helpers(seed: int) -> Mapping[str, Any]:
    """The names that a program uses; `log` is a list of how each call of the driver ended."""
    answers = _Answers(seed)
    number, maybe_raise = answers.number, answers.maybe_raise
    kept: list[Any] = []

    def r(*_: object) -> int:
        maybe_raise()
        return number(3)

    def t(*_: object) -> bool:
        if answers.calls > _CALLS:
            # Loops that leave by a true test and loops that leave by a false one both end.
            answers.calls += 1
            if answers.calls > 50 * _CALLS:
                raise ThirdError("it does not end")
            return answers.calls % 2 == 0
        maybe_raise()
        return number(2) == 1

    def items(count: int | None = None, *_: object) -> Iterator[int]:
        for value in range(number(3) if count is None else count):
            maybe_raise()
            yield value

    def gen() -> Iterator[int]:
        try:
            yield 1
            maybe_raise()
            yield 2
        finally:
            maybe_raise()

    def keep(thing: Any) -> Any:
        kept.append(thing)
        return thing

    def step(frame: Any, action: int) -> None:
        try:
            if hasattr(frame, "asend"):
                frame = (frame.asend(None), frame.athrow(FirstError()), frame.aclose())[
                    (0, 0, 0, 0, 1, 2)[action]
                ]
                for _ in range(8):
                    frame.send(None)
                frame.close()
            elif action == 4:
                frame.throw(FirstError())
            elif action == 5:
                frame.close()
            else:
                frame.send(None)
        except BaseException as error:
            error.__traceback__ = None
            answers.log.append(type(error).__name__)

    def begin(frames: list[Any], function: Callable[[], Any]) -> None:
        try:
            made = function()
        except BaseException as error:
            answers.log.append(_described(error))
            return
        if hasattr(made, "send") or hasattr(made, "asend"):
            frames.append(made)
            step(made, 0)

    def go_on(frames: list[Any]) -> None:
        if frames:
            step(frames[number(len(frames))], number(6))

    def run_kept() -> None:
        for thing in kept[-6:]:
            if callable(thing):
                begin(kept, thing)
            elif hasattr(thing, "send") or hasattr(thing, "asend"):
                step(thing, number(6))
            elif hasattr(thing, "__next__"):
                step(thing, 0)

    def end(frames: list[Any]) -> None:
        for frame in [*frames, *kept]:
            if hasattr(frame, "send") or hasattr(frame, "asend"):
                step(frame, 5)
        frames.clear()
        kept.clear()

    def same(function: Any) -> Any:
        maybe_raise()
        return function

    def base(*_: object) -> type:
        maybe_raise()
        return object

    def kinds() -> type[BaseException]:
        maybe_raise()
        return (FirstError, SecondError)[number(2)]

    def suppress(*errors: type[BaseException]) -> Any:
        return _suppress(*errors)

    return {
        "r": r,
        "t": t,
        "items": items,
        "gen": gen,
        "keep": keep,
        "begin": begin,
        "go_on": go_on,
        "run_kept": run_kept,
        "end": end,
        "same": same,
        "base": base,
        "kinds": kinds,
        "suppress": suppress,
        "log": answers.log,
        "same_if": lambda *_: same,
        "e": lambda: SecondError(),
        "o": lambda: Thing(answers),
        "m": lambda *_: Manager(answers, swallows=False),
        "am": lambda *_: Manager(answers, swallows=False),
        "swallow": lambda *_: Manager(answers, swallows=True),
        "aswallow": lambda *_: Manager(answers, swallows=True),
        "pause": lambda: Pause(answers),
        "ticks": lambda *_: Ticks(answers),
        "FirstError": FirstError,
        "SecondError": SecondError,
        "Thing": Thing,
    }


def _described(error: BaseException) -> str:
    """The exception, and the lines of its traceback."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f"{type(error).__name__} at {lines[1:]}"
