"""Hands over to the programs that this process starts, at the last function before the system's.

What the program under test sees of its environment never changes: the variable is put beside
what C code has when a program inherits that, and into a copy of what is given explicitly, if it
is given to a Python.
"""

from __future__ import annotations

import os
import sys

from whotests.recording.after_import import when_imported
from whotests.recording.handover import VARIABLE
from whotests.recording.originals import RLock, get_ident

TYPE_CHECKING = False  # what typing calls so: every process that is started imports this
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType
    from typing import Any, Protocol

    class Starter(Protocol):
        """What a session does when its process starts others. Nothing here raises."""

        def handover(self) -> str:
            """The variable's value for a process that is started now; '': it gets none."""

        def before_exec(self) -> None:
            """This process may become another program with the next call."""

        def after_exec(self) -> None:
            """It did not."""

        def leave(self) -> None:
            """This process ends with the next call."""


__all__ = ["begin_handing_over", "looking_like", "starts_program", "stop_handing_over"]

_starters: list[Starter] = []
_installed: list[str] = []
_starting: set[int] = set()
"""Threads that are just starting a program."""
_putenv, _unsetenv = os.putenv, os.unsetenv
_PYTHONS = (b"python", b"pypy")
_HEAD = 512
"""Bytes of a script in which the name of its interpreter stands."""


def begin_handing_over(starter: Starter) -> None:
    """From now on, programs that this process starts are told of `starter`'s run."""
    _starters.append(starter)
    if _installed:
        return
    _installed.append("")
    for name, wrap in (
        ("posix_spawn", _spawning),
        ("posix_spawnp", _spawning),
        ("execv", _executing),
        ("execve", _executing_with),
        ("system", _through_shell),
        ("_exit", _leaving),
    ):
        _replace(os, name, wrap)
    when_imported("subprocess", _watch_subprocess)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_ENVIRONMENT.forked)


def stop_handing_over(starter: Starter) -> None:
    """Programs that are started from now on are not told of it."""
    if starter in _starters:
        _starters.remove(starter)


def starts_program() -> bool:
    """Whether this thread, in the child of a fork, is about to become another program."""
    return get_ident() in _starting


def _watch_subprocess(module: ModuleType) -> None:
    # It has bound the name of its own, and multiprocessing takes it from there.
    if sys.platform == "win32":
        _replace(sys.modules.get("_winapi"), "CreateProcess", _creating)
    lowest = sys.modules.get("_posixsubprocess")
    ordinary = getattr(lowest, "fork_exec", None)
    if ordinary is not None:
        wrapper = _replace(lowest, "fork_exec", _forking)
        if getattr(module, "_fork_exec", None) is ordinary:
            module._fork_exec = wrapper  # type: ignore[attr-defined]


def _replace(module: Any, name: str, wrap: Callable[[Any], Any]) -> Any:
    """Puts a wrapper in a function's place, and in the module's that it comes from."""
    ordinary = getattr(module, name, None)
    if ordinary is None:
        return None
    wrapper = looking_like(ordinary, wrap(ordinary))
    home = sys.modules.get(str(ordinary.__module__))  # there pickle looks for it
    for place in (module, home):
        if place is not None and getattr(place, name, None) is ordinary:
            setattr(place, name, wrapper)
    return wrapper


def looking_like(ordinary: Any, wrapper: Any) -> Any:
    """The wrapper with the name, signature and all that can be seen of what it wraps.

    What `functools.wraps` does, which would have to be imported.
    """
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(wrapper, name, getattr(ordinary, name, None))
    wrapper.__annotations__ = {}
    wrapper.__wrapped__ = ordinary
    return wrapper


def _value() -> str:
    return _starters[-1].handover() if _starters else ""


# -- the environment ------------------------------------------------------------------------


class _Environment:
    """The variable in the environment that C code has, while a program is started."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._long = 0
        """Starts that are under way and do not hold the lock."""

    def forked(self) -> None:
        """In a forked child: another thread may have held the lock."""
        self.lock = RLock()
        if self._long and not starts_program():
            self._long = 0
            _unsetenv(VARIABLE)

    def during(self, value: str, call: Callable[[], Any]) -> Any:
        """Calls with the variable in place; one start at a time."""
        with self.lock:
            _putenv(VARIABLE, value)
            _starting.add(get_ident())
            try:
                return call()
            finally:
                _starting.discard(get_ident())
                if not self._long:
                    _unsetenv(VARIABLE)

    def during_long(self, value: str, call: Callable[[], Any]) -> Any:
        """The same for a call that comes back when the program has ended."""
        with self.lock:
            self._long += 1
            _putenv(VARIABLE, value)
        try:
            return call()
        finally:
            with self.lock:
                self._long -= 1
                if not self._long:
                    _unsetenv(VARIABLE)


_ENVIRONMENT = _Environment()


def _with_variable(env: Mapping[Any, Any], value: str) -> dict[Any, Any]:
    """A copy of what a program is given, and the variable."""
    return {**env, VARIABLE: value}


# -- the wrappers ---------------------------------------------------------------------------


def _forking(ordinary: Any) -> Any:
    def fork_exec(*args: Any, **kwargs: Any) -> Any:
        value = _value()
        if not value or len(args) < 6:
            return ordinary(*args, **kwargs)
        env = args[5]
        if env is not None:
            if not _runs_python(args[1], args[0], args[4]):
                return ordinary(*args, **kwargs)
            env = [*env, f"{VARIABLE}={value}".encode()]
            args = (*args[:5], env, *args[6:])
            with _ENVIRONMENT.lock:
                _starting.add(get_ident())
                try:
                    return ordinary(*args, **kwargs)
                finally:
                    _starting.discard(get_ident())
        return _ENVIRONMENT.during(value, lambda: ordinary(*args, **kwargs))

    return fork_exec


def _spawning(ordinary: Any) -> Any:
    def posix_spawn(*args: Any, **kwargs: Any) -> Any:
        value = _value()
        if not value or len(args) < 3:
            return ordinary(*args, **kwargs)
        path, argv, env = args[:3]
        if env is None:
            return _ENVIRONMENT.during(value, lambda: ordinary(*args, **kwargs))
        if env is os.environ or _runs_python((path,), argv, None):
            args = (path, argv, _with_variable(env, value), *args[3:])
        return ordinary(*args, **kwargs)

    return posix_spawn


def _executing(ordinary: Any) -> Any:
    def execv(*args: Any, **kwargs: Any) -> Any:
        value = _value()
        if not value or not args or not _can_run(args[0]):
            return ordinary(*args, **kwargs)
        starter = _starters[-1]
        starter.before_exec()
        try:
            return _ENVIRONMENT.during(value, lambda: ordinary(*args, **kwargs))
        finally:
            starter.after_exec()

    return execv


def _executing_with(ordinary: Any) -> Any:
    def execve(*args: Any, **kwargs: Any) -> Any:
        value = _value()
        names = ("path", "argv", "env")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        wrong = len(args) + len(kwargs) != 3 or given.keys() != set(names)
        if not value or wrong or not _can_run(given["path"]):
            return ordinary(*args, **kwargs)
        path, argv, env = (given[name] for name in names)
        if env is os.environ or _runs_python((path,), argv, None):
            env = _with_variable(env, value)
        starter = _starters[-1]
        starter.before_exec()
        try:
            return ordinary(path, argv, env)
        finally:
            starter.after_exec()

    return execve


def _through_shell(ordinary: Any) -> Any:
    def system(*args: Any, **kwargs: Any) -> Any:
        value = _value()
        if not value:
            return ordinary(*args, **kwargs)
        return _ENVIRONMENT.during_long(value, lambda: ordinary(*args, **kwargs))

    return system


def _leaving(ordinary: Any) -> Any:
    def _exit(*args: Any, **kwargs: Any) -> Any:
        if _starters:
            _starters[-1].leave()
        return ordinary(*args, **kwargs)

    return _exit


def _creating(ordinary: Any) -> Any:
    def CreateProcess(*args: Any, **kwargs: Any) -> Any:  # noqa: N802 - as Windows calls it
        value = _value()
        if not value or len(args) < 7:
            return ordinary(*args, **kwargs)
        env = args[6]
        if env is None:
            return _ENVIRONMENT.during(value, lambda: ordinary(*args, **kwargs))
        if _names_python(f"{args[0] or ''} {args[1] or ''}".encode(errors="replace")):
            args = (*args[:6], _with_variable(env, value), *args[7:])
        return ordinary(*args, **kwargs)

    return CreateProcess


# -- is it a Python? ------------------------------------------------------------------------


def _can_run(path: object) -> bool:
    """Whether `exec` of it may succeed: a search along PATH tries many that are not there."""
    try:
        return isinstance(path, int) or os.access(path, os.X_OK)  # type: ignore[arg-type]
    except (TypeError, ValueError, OSError):
        return False


def _runs_python(paths: Iterable[Any], argv: Iterable[Any], cwd: Any) -> bool:
    """Whether a program is a Python, a script of one, or a shell or another program that is told
    to start one. `paths`: where it is looked for, in order."""
    try:
        for path in map(os.fsencode, paths):
            if _is_python(os.path.basename(path)) or path == os.fsencode(sys.executable):
                return True
            place = path if cwd is None else os.path.join(os.fsencode(cwd), path)
            if os.path.isfile(place):
                if _is_script(place):
                    return True
                break
        return any(_names_python(os.fsencode(word)) for word in argv)
    except (TypeError, ValueError, OSError):
        return False


def _is_script(path: bytes) -> bool:
    """Whether it begins with `#!` and a Python; some have a shell there, and that in line two."""
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    return head.startswith(b"#!") and any(map(_names_python, head.split(b"\n")[:3]))


def _is_python(name: bytes) -> bool:
    """python, python3.13t, pypy3, pythonw.exe; not python-config."""
    name = name.lower().removesuffix(b".exe")
    return any(
        name.startswith(python) and not name[len(python) :].strip(b"0123456789.tw")
        for python in _PYTHONS
    )


def _names_python(text: bytes) -> bool:
    text = text.lower()
    return any(python in text for python in _PYTHONS)
