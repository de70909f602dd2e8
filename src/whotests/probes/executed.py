"""Code that is not imported from a folder: compiled by the program, or kept in an archive.

While installed, `builtins.compile` gives instrumented code for the text of a measured file, and
so does `zipimporter.get_code`. All else that they are asked for they do as they did.
"""

import __future__

import builtins
import functools
import os
import sys
from collections.abc import Callable
from io import FileIO
from os.path import abspath, join
from types import CodeType, FrameType
from typing import Any
from zipimport import zipimporter

from whotests.source.text import decode

__all__ = ["Executed"]

Compiled = Callable[..., CodeType | None]
"""Gives the code of a measured file: its path, its bytes, and how the code is wanted."""

_FUTURES = functools.reduce(
    int.__or__, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
_OTHER_SYNTAX = __future__.barry_as_FLUFL.compiler_flag

_LOOKING_ONLY = frozenset({"coverage", "trace", "whotests"})
"""Packages that compile a file's text to learn about it."""

_IMPORT_SYSTEM = ("<frozen importlib._bootstrap_external>", "<frozen zipimport>")

_ARCHIVED = ("/__init__.py", ".py")


class Executed:
    """Puts the two in place, and takes them away."""

    def __init__(self, measures: Callable[[str], bool], code_of: Compiled) -> None:
        self._measures = measures
        self._code_of = code_of
        self._compile: Any = None
        self._ordinary_compile: Any = None
        self._get_code: Any = None

    def install(self) -> None:
        """From now on."""
        self._ordinary_compile = builtins.compile
        self._compile = builtins.compile = self._wrapped_compile(builtins.compile)
        self._get_code = zipimporter.get_code
        zipimporter.get_code = self._wrapped_get_code(zipimporter.get_code)  # type: ignore[method-assign]

    def remove(self) -> None:
        """As it was; somebody else's `compile` around ours stays."""
        if builtins.compile is self._compile:
            builtins.compile = self._ordinary_compile
        if self._get_code is not None:
            zipimporter.get_code = self._get_code  # type: ignore[method-assign]

    def _wrapped_compile(self, ordinary: Any) -> Any:
        instead = self._instead
        frame_of = sys._getframe

        @functools.wraps(ordinary)
        def compile(*args: Any, **kwargs: Any) -> Any:
            # What it raises has no trace of this frame: the entry is cut off, and a bare `raise`
            # adds none.
            try:
                try:
                    caller = frame_of(1)
                except ValueError:  # a thread that does nothing else
                    return ordinary(*args, **kwargs)
                futures = caller.f_code.co_flags & _FUTURES
                if futures:
                    args, kwargs = _with_futures(args, kwargs, futures)
                if (args[2] if len(args) > 2 else kwargs.get("mode")) == "exec":
                    code = instead(caller, *args, **kwargs)
                    if code is not None:
                        return code
                return ordinary(*args, **kwargs)
            except BaseException as error:
                trace = error.__traceback__
                error.__traceback__ = trace and trace.tb_next
                raise

        return compile

    def _instead(
        self,
        caller: FrameType,
        source: object = None,
        filename: object = None,
        mode: object = None,
        flags: object = 0,
        dont_inherit: object = False,
        optimize: object = -1,
        **others: object,
    ) -> CodeType | None:
        """Instrumented code for the whole text of a measured file; None for all else."""
        module = others.pop("module", None) if sys.version_info >= (3, 15) else None
        if (
            type(source) not in (str, bytes)
            or type(filename) not in (str, bytes)
            or type(flags) is not int
            or not isinstance(module, str | None)
            or others
        ):
            return None
        assert isinstance(source, str | bytes)
        assert isinstance(filename, str | bytes)
        assert isinstance(flags, int)
        name = os.fsdecode(filename)
        if name.startswith("<") or flags & ~_FUTURES or flags & _OTHER_SYNTAX:
            return None
        try:
            path = abspath(name)
            if not self._measures(path) or optimize not in (-1, sys.flags.optimize):
                return None
            with FileIO(path) as file:  # what the program calls `open` may be something else
                content = file.read()
            if not _is_text_of(source, content) or _is_for_others(caller):
                return None
        except Exception:  # no such file, or not the text of one
            return None
        return self._code_of(path, content, filename=name, flags=flags, module=module)

    def _wrapped_get_code(self, ordinary: Any) -> Any:
        measures, code_of = self._measures, self._code_of

        def get_code(self: zipimporter, fullname: str) -> CodeType | None:
            place = join(self.archive, self.prefix + fullname.rpartition(".")[2])
            for suffix in _ARCHIVED:
                path = place + suffix.replace("/", os.sep)
                if measures(path):
                    try:
                        source = self.get_data(path)
                    except OSError:
                        continue
                    code = code_of(path, source)
                    if code is not None:
                        return code
                    break
            return ordinary(self, fullname)  # type: ignore[no-any-return]

        # Python leaves the import system's own frames out of tracebacks by their file's name.
        get_code.__code__ = get_code.__code__.replace(co_filename="<frozen zipimport>")
        return functools.wraps(ordinary)(get_code)


def _with_futures(
    args: tuple[Any, ...], kwargs: dict[str, Any], futures: int
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of `compile`, with the caller's `from __future__ import` among the flags."""
    if args[4] if len(args) > 4 else kwargs.get("dont_inherit"):
        return args, kwargs
    flags = args[3] if len(args) > 3 else kwargs.get("flags", 0)
    if not isinstance(flags, int):
        return args, kwargs
    if len(args) > 3:
        return (*args[:3], flags | futures, *args[4:]), kwargs
    return args, {**kwargs, "flags": flags | futures}


def _is_text_of(source: str | bytes, content: bytes) -> bool:
    """Whether a source is a file's, whatever ends its lines and its last one."""
    if source == content:
        return True
    if isinstance(source, bytes):
        return False
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    return source.rstrip("\n") == decode(content).rstrip("\n")


def _is_for_others(caller: FrameType) -> bool:
    """Whether the code is not to be run, or to be stored: by the import system, when a file's
    loader is not one of ours, and by `py_compile`."""
    name = caller.f_globals.get("__name__")
    if isinstance(name, str) and name.partition(".")[0] in _LOOKING_ONLY:
        return True
    frame: FrameType | None = caller
    while frame is not None:
        code = frame.f_code
        if code.co_name == "get_code" and code.co_filename in _IMPORT_SYSTEM:
            return True
        if frame.f_globals.get("__name__") == "py_compile":
            return True
        frame = frame.f_back
    return False
