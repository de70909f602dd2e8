"""`whotests.context`: a label of the user's own for what runs."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from types import TracebackType
from typing import Any, TypeVar, cast

from whotests.recording.session import Session, current

__all__ = ["context"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


class context:  # noqa: N801 - it reads as a word of the language, like `suppress`
    """Whatever runs inside also counts for `label`; without a measured run it does nothing.

    A context manager and a decorator, which may be used again and within each other:

        with whotests.context("checkout"):
            ...

        @whotests.context("checkout")
        async def pay(): ...

    A label that is decorated onto an `async def` or a generator holds while its body runs:
    to its end for a coroutine, and between two values for a generator.
    """

    def __init__(self, label: str) -> None:
        if not isinstance(label, str) or not label:
            raise TypeError(
                f"whotests.context({label!r}): a label is a string that is not empty; "
                'write whotests.context("checkout")'
            )
        self.label = label
        self._open: list[tuple[Session, object] | None] = []

    def __enter__(self) -> "context":
        self._open.append(_open(self.label))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _close(self._open.pop())

    def __call__(self, function: _Function) -> _Function:
        """`function`, run under the label each time that it is called."""
        label = self.label
        wrapper: Callable[..., Any]
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                token = _open(label)
                try:
                    return await function(*args, **kwargs)
                finally:
                    _close(token)

        elif inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
                async for value in _labelled_values(label, function(*args, **kwargs)):
                    yield value

        elif inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                return (yield from _LabelledGenerator(label, function(*args, **kwargs)))

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                token = _open(label)
                try:
                    return function(*args, **kwargs)
                finally:
                    _close(token)

        return cast(_Function, wrapper)


def _open(label: str) -> tuple[Session, object] | None:
    session = current()
    return None if session is None else (session, session.open_label(label))


def _close(opened: tuple[Session, object] | None) -> None:
    if opened is not None:
        session, token = opened
        session.close_label(token)


class _LabelledGenerator(Generator[Any, Any, Any]):
    """A generator whose steps run under a label, but not its caller between them."""

    def __init__(self, label: str, generator: Generator[Any, Any, Any]) -> None:
        self._label = label
        self._generator = generator

    def send(self, value: Any) -> Any:
        return self._step(self._generator.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._generator.throw, *error)

    def close(self) -> None:
        self._step(self._generator.close)

    def _step(self, method: Callable[..., Any], *args: Any) -> Any:
        token = _open(self._label)
        try:
            return method(*args)
        finally:
            _close(token)


async def _labelled_values(label: str, values: Any) -> AsyncIterator[Any]:
    """The values of an async generator, each computed under the label."""
    sent: Any = None
    try:
        while True:
            token = _open(label)
            try:
                value = await values.asend(sent)
            except StopAsyncIteration:
                return
            finally:
                _close(token)
            sent = yield value
    finally:
        await values.aclose()
