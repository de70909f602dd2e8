"""Runs a command under measurement, in its own process, as Python itself would run it."""

import atexit
import contextlib
import os
import sys
from collections.abc import Callable
from types import CodeType, ModuleType

from whotests.errors import WhotestsError
from whotests.recording.as_python import prepare_script, strip_our_frames
from whotests.recording.plan import Plan
from whotests.recording.session import Session, measure_afresh

__all__ = ["INCOMPLETE_STATUS", "Install", "main"]

INCOMPLETE_STATUS = 3
"""Exit status of a command that ended well, but of which whotests lost something."""

Install = Callable[[Session, Plan], None]
"""Puts the integrations of test runners in place; given by the entry point, which knows them."""


def main(install: Install) -> None:
    """Measure the command in `sys.argv`: a plan, then `script …`, `-m module …` or `-c code …`.

    Ends as the command ends: same exceptions, same exit status. When data is incomplete, a
    line on stderr says so and an exit status of 0 becomes `INCOMPLETE_STATUS`. A plan that
    cannot work is told on stderr, with exit status 2.
    """
    boot = sys.modules["__main__"]
    plan = Plan.from_json(sys.argv[1])
    command = sys.argv[2:]
    measure_afresh()
    try:
        session = Session.start(plan)
        install(session, plan)
    except WhotestsError as error:
        print(f"whotests: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
    ending = _Ending(session)
    # Registered before the command's own functions, so it runs after all of them.
    atexit.register(ending.finish)
    _restore_original_arguments(command)
    try:
        module = _fresh_main(boot)
        if command[0] == "-m":
            _prepare_module(command)
            import runpy

            runpy._run_module_as_main(command[1])  # type: ignore[attr-defined]
        elif command[0] == "-c":
            exec(_prepare_code(command), module.__dict__)
        elif (folder := _importable_folder(command[0])) is not None:
            sys.argv[:] = command
            sys.path.insert(0, folder)
            import runpy

            runpy._run_module_as_main("__main__", False)  # type: ignore[attr-defined]
        else:
            exec(prepare_script(command, module), module.__dict__)
        ending.status = 0
    except SystemExit as request:
        ending.status = _status_of(request)
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            session.interrupted()
            ending.interrupted = True
        strip_our_frames(boot)
        raise


class _Ending:
    """Ends the session at the very end of the process that began it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pid = os.getpid()
        self.status = 1
        """How the command ended; an uncaught exception sets nothing, and means 1."""
        self.interrupted = False

    def finish(self) -> None:
        if os.getpid() != self._pid:
            self._session.finish()  # a part, in a forked child
            return
        try:
            self._session.finish(exit_status=self.status)
        finally:  # whatever a signal's handler raised
            if self._session.problem:
                self._tell_of_problem()
            elif remark := self._session.elsewhere or self._session.surprise:
                self._tell(remark)
        if self.interrupted:
            # The interpreter dies of SIGINT if the last text that it ran ended in a
            # KeyboardInterrupt. What we have run since then may have had text of its own
            # (dataclasses are made of some), so it needs to see one again.
            with contextlib.suppress(KeyboardInterrupt):
                exec("raise KeyboardInterrupt", {})

    def _tell(self, what: str) -> None:
        # Without a stderr, or with a closed one, the exit status still tells.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            print(f"whotests: {what}", file=sys.stderr)
            for stream in (sys.stdout, sys.stderr):
                stream.flush()

    def _tell_of_problem(self) -> None:
        self._tell(f"the data is incomplete: {self._session.problem}")
        if self.status == 0:
            # The interpreter has its exit status already and asks nobody for another one.
            os._exit(INCOMPLETE_STATUS)


def _fresh_main(boot: ModuleType) -> ModuleType:
    """A new `__main__` in `sys.modules`, as the interpreter makes it before it runs anything."""
    module = ModuleType("__main__")
    for name in ("__annotations__", "__loader__", "__builtins__"):
        if name in boot.__dict__:
            module.__dict__[name] = {} if name == "__annotations__" else boot.__dict__[name]
    sys.modules["__main__"] = module
    return module


def _restore_original_arguments(command: list[str]) -> None:
    """Make `sys.orig_argv` what it is without us: our `-c`, code and plan are not in it."""
    before = len(sys.orig_argv) - len(command) - 3
    sys.orig_argv[before:] = command


def _prepare_module(command: list[str]) -> None:
    sys.argv[:] = ["-m", *command[2:]]
    if not sys.flags.safe_path:
        sys.path.insert(0, os.getcwd())


def _prepare_code(command: list[str]) -> CodeType:
    text = command[1]
    sys.argv[:] = ["-c", *command[2:]]
    if not sys.flags.safe_path:
        sys.path.insert(0, "")
    code = compile(text, "<string>", "exec", dont_inherit=True)
    if sys.version_info >= (3, 13):
        _show_lines_of(code, text)
    return code


def _show_lines_of(code: CodeType, text: str) -> None:
    """Let tracebacks show the lines of `-c` code, as they do from Python 3.13 on."""
    import linecache

    register = getattr(linecache, "_register_code", None)
    if register is not None:
        register(code if hasattr(linecache, "_interactive_cache") else "<string>", text, "<string>")


def _importable_folder(script: str) -> str | None:
    """The absolute path of a folder or zip file that is to be run, None for an ordinary script."""
    path = os.path.join(os.getcwd(), script)
    for hook in sys.path_hooks:
        try:
            hook(path)
        except ImportError:
            continue
        return path
    return None


def _status_of(request: SystemExit) -> int:
    code = request.code
    if code is None:
        return 0
    return code if isinstance(code, int) else 1
