"""Running a script as Python itself does: its module, its code, and how its errors are shown."""

import os
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType, TracebackType

from whotests.probes.load import code_for_script

__all__ = ["prepare_script", "strip_our_frames"]

_OUR_FRAMES = ("whotests.recording.", "whotests.integrations.", "whotests.probes.")


def strip_our_frames(boot: ModuleType) -> None:
    """Lets the exception that ends the command be shown without our frames: those of this
    package, those of the module `boot`, and what these were called by."""
    hook = getattr(sys, "excepthook", None)
    if hook is not None:
        sys.excepthook = _FramelessHook(hook, boot)


class _FramelessHook:
    """The command's own `sys.excepthook`, shown only the frames that it would have without us."""

    def __init__(self, hook: Callable[..., object], boot: ModuleType) -> None:
        self._hook = hook
        self._boot = boot

    def __call__(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        sys.excepthook = self._hook
        trace = _without_our_frames(trace, self._boot)
        error.__traceback__ = trace
        sys.last_traceback = trace
        self._hook(kind, error, trace)


def _without_our_frames(trace: TracebackType | None, boot: ModuleType) -> TracebackType | None:
    kept: list[TracebackType] = []
    while trace is not None:
        frame = trace.tb_frame
        ours = str(frame.f_globals.get("__name__")).startswith(_OUR_FRAMES)
        if frame.f_globals is boot.__dict__:
            kept.clear()
        elif not ours:
            kept.append(trace)
        trace = trace.tb_next
    following = None
    for entry in reversed(kept):
        entry.tb_next = following
        following = entry
    return following


def prepare_script(command: list[str], module: ModuleType) -> CodeType:
    """The code of a script that is about to run in `module`; `command` is it and its arguments."""
    sys.argv[:] = command
    script = command[0]
    if not sys.flags.safe_path:
        sys.path.insert(0, os.path.dirname(os.path.realpath(script)))
    # The interpreter joins the two without normalising them, but on Windows.
    path = os.path.abspath(script) if os.name == "nt" else os.path.join(os.getcwd(), script)
    module.__file__ = path
    if sys.version_info < (3, 15):
        module.__cached__ = None  # type: ignore[attr-defined]
    if path.endswith(".pyc"):
        bare = SourcelessFileLoader("__main__", path)
        module.__loader__ = bare
        compiled = bare.get_code("__main__")
        if compiled is None:
            raise ImportError(f"cannot read {path}")
        return compiled
    module.__loader__ = SourceFileLoader("__main__", path)
    code = code_for_script(path)
    if code is None:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
    return code
