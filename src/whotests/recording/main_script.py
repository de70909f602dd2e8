"""Runs the script that an interpreter was started with, when that is to be measured.

The interpreter reads a script by itself, past the import system. But before that it asks
`sys.path_hooks` whether the script is a folder or an archive with a `__main__`: there we run it,
and give an empty `__main__` to run for what is left.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # what typing calls so: every process that is started imports this
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType
    from typing import Any

__all__ = ["run_if_measured"]


def run_if_measured(concerns: Callable[[str], bool], wake: Callable[[], None]) -> None:
    """Waits for the interpreter to come to its script, if `concerns` says so of its path; then
    `wake` begins to measure."""
    script = sys.argv[0] if sys.argv else ""
    if script in ("", "-", "-c", "-m") or not os.path.isfile(script) or not concerns(script):
        return
    path = os.path.abspath(script)

    def hook(entry: str) -> _Rest:
        if not isinstance(entry, str) or os.path.abspath(entry) != path:
            raise ImportError
        sys.path_hooks.remove(hook)
        wake()
        return _Rest(*_run(), entry)

    sys.path_hooks.insert(0, hook)


def _run() -> tuple[BaseException | None, ModuleType]:
    """How the script ended, and its `__main__`. To be run where a hook of the path is."""
    from contextlib import suppress

    from whotests.recording.as_python import prepare_script, strip_our_frames

    module = sys.modules["__main__"]
    rest = type(sys)("__main__")
    try:
        exec(prepare_script([*sys.argv], module), module.__dict__)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            # The interpreter dies of SIGINT if the last text that it ran ended in one.
            with suppress(KeyboardInterrupt):
                exec("raise KeyboardInterrupt", {})
        if not isinstance(error, SystemExit):
            strip_our_frames(rest)
        elif sys.version_info < (3, 14):
            return error, rest
        ended: BaseException | None = error
    else:
        ended = None
    # As the interpreter leaves it behind.
    module.__dict__.pop("__file__", None)
    module.__dict__.pop("__cached__", None)
    return ended, rest


class _Rest:
    """The finder and loader of what is left to run: nothing, or an exception to raise."""

    def __init__(self, error: BaseException | None, rest: ModuleType, entry: str) -> None:
        self._error = error
        self._entry = entry
        self._main = sys.modules["__main__"]
        # What the interpreter says of its `__main__` now is not true of the script's.
        sys.modules["__main__"] = rest

    def find_spec(self, name: str, target: object = None) -> Any:
        if name != "__main__":
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self)  # type: ignore[arg-type]

    def get_code(self, name: str) -> CodeType:
        code = compile("end = 'end'; end()", "<string>", "exec")
        constants = (self._end if value == "end" else value for value in code.co_consts)
        return code.replace(co_consts=tuple(constants))

    def _end(self) -> None:
        sys.modules["__main__"] = self._main
        sys.path_importer_cache.pop(self._entry, None)
        if sys.path and sys.path[0] == self._entry:
            del sys.path[0]
        if self._error is not None:
            raise self._error
