"""What `whotests run` was asked to measure: a Python command line, taken apart."""

import os
import re
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from whotests.errors import UsageError

__all__ = ["EXAMPLE", "MeasuredCommand", "read_command"]

EXAMPLE = "for instance: whotests run -- pytest tests"

_PYTHON = re.compile(r"^(python|pypy)(\d+(\.\d+)?)?w?(\.exe)?$", re.IGNORECASE)
_OPTIONS_WITH_VALUE = "WX"
_ENDS = "cm"
_NO_VALUE = "bBdEhiIOPqRsStuvVx"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCommand:
    """A command as this environment's interpreter takes it."""

    options: tuple[str, ...]
    """Options of the interpreter itself, such as `-W error`."""
    arguments: tuple[str, ...]
    """`script …`, `-m module …` or `-c code …`."""
    script: str | None
    """The script's path when it is the user's own, None for an installed command."""
    search_path: tuple[str, ...]
    """The `sys.path` that the command will have, as far as can be known beforehand."""


def read_command(words: tuple[str, ...], *, cwd: Path, root: Path) -> MeasuredCommand:
    """Take the words of a command apart; raises `UsageError` for what cannot be measured."""
    if not words:
        raise UsageError(f"no command to run; {EXAMPLE}")
    name, *rest = words
    if _PYTHON.match(os.path.basename(name)) and not (cwd / name).is_file():
        _check_interpreter_name(name)
        options, arguments = _read_interpreter_options(rest, words)
    elif _is_interpreter(name, cwd):
        _check_interpreter_path(str(cwd / name))
        options, arguments = _read_interpreter_options(rest, words)
    else:
        options, arguments = (), (_find_program(name, cwd), *rest)
    kind = arguments[0]
    script = None
    if kind not in ("-m", "-c"):
        if not (cwd / kind).exists():
            raise UsageError(f"there is no file '{kind}' to run in {cwd}; check its path")
        if not _is_installed(str(cwd / kind)):
            script = kind
    first = os.path.dirname(os.path.realpath(cwd / kind)) if script is not None else str(cwd)
    return MeasuredCommand(
        options=options,
        arguments=arguments,
        script=script,
        search_path=_search_path(first, options, cwd=cwd, root=root),
    )


def _read_interpreter_options(
    words: list[str], command: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split `-W error -m pytest …` into the interpreter's options and what it is to run."""
    options: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            index += 1
            break
        if word == "-" or not word.startswith("-"):
            break
        if word.startswith("--"):
            options += words[index : index + (2 if word == "--check-hash-based-pycs" else 1)]
            index += 2 if word == "--check-hash-based-pycs" else 1
            continue
        flags = ""
        for position, letter in enumerate(word[1:], start=1):
            attached = word[position + 1 :]
            if letter in _ENDS:
                if flags:
                    options.append("-" + flags)
                value = [attached] if attached else words[index + 1 : index + 2]
                if not value:
                    raise UsageError(f"'-{letter}' of '{' '.join(command)}' needs an argument")
                following = words[index + (1 if attached else 2) :]
                return tuple(options), (f"-{letter}", *value, *following)
            if letter in _OPTIONS_WITH_VALUE:
                flags += letter + attached
                if not attached:
                    options.append("-" + flags)
                    index += 1
                    flags = ""
                    options += words[index : index + 1]
                break
            if letter not in _NO_VALUE:
                raise UsageError(f"the Python interpreter has no option '-{letter}'")
            flags += letter
        if flags:
            options.append("-" + flags)
        index += 1
    arguments = tuple(words[index:])
    if not arguments or arguments[0] == "-":
        raise UsageError(
            f"'{' '.join(command)}' names no script or module to measure; "
            "add one, for instance: whotests run -- python -m unittest"
        )
    return tuple(options), arguments


def _check_interpreter_name(name: str) -> None:
    """A bare `python` is this one, unless the shell's active environment is another one, and
    `python` means that one's."""
    version = re.sub(r"[^\d.]", "", name.removesuffix(".exe"))
    this = sys.version_info
    here = ("", f"{this.major}", f"{this.major}.{this.minor}")
    family = "pypy" if sys.implementation.name == "pypy" else "python"
    active = os.environ.get("VIRTUAL_ENV", "")
    elsewhere = os.path.isdir(active) and not os.path.samefile(active, sys.prefix)
    found = shutil.which(name) or name
    if version not in here or not name.lower().startswith(family):
        raise UsageError(_wrong_interpreter(found))
    if elsewhere:
        _check_interpreter_path(found)


def _is_interpreter(name: str, cwd: Path) -> bool:
    path = cwd / name
    separated = os.sep in name or (os.altsep is not None and os.altsep in name)
    return separated and bool(_PYTHON.match(path.name)) and path.is_file()


def _check_interpreter_path(path: str) -> None:
    """The path must be an interpreter of this environment, by whichever of its names."""
    mine = os.path.abspath(sys.executable)
    folder = os.path.dirname(os.path.abspath(path))
    same_folder = os.path.realpath(folder) == os.path.realpath(os.path.dirname(mine))
    if not (same_folder and os.path.realpath(path) == os.path.realpath(mine)):
        raise UsageError(_wrong_interpreter(path))


def _wrong_interpreter(path: str) -> str:
    return (
        f"{path} is not the Python of the environment that whotests runs in "
        f"({sys.executable}); install whotests in that environment and run it from there: "
        f"{path} -m whotests run …"
    )


def _find_program(name: str, cwd: Path) -> str:
    """The path of a Python program: a file here, or a command of this environment or PATH."""
    if os.sep in name or (os.altsep is not None and os.altsep in name):
        path = name
        if not (cwd / path).exists():
            raise UsageError(f"there is no file '{name}' to run in {cwd}; check its path")
    elif name.endswith(".py") and (cwd / name).is_file():
        return name
    else:
        scripts = sysconfig.get_path("scripts")
        places = os.pathsep.join((os.path.dirname(sys.executable), scripts))
        found = shutil.which(name, path=places) or shutil.which(name)
        if found is None:
            if (cwd / name).exists():
                return name
            raise UsageError(
                f"there is no command '{name}' in this environment ({scripts}) or on PATH; "
                f"install it, or name a script or module; {EXAMPLE}"
            )
        path = found
    if os.path.isdir(cwd / path):
        return path
    interpreter = _interpreter_of(str(cwd / path))
    if interpreter is None and not path.endswith((".py", ".pyw", ".pyz", ".pyc")):
        _check_launcher(str(cwd / path))
    if interpreter is not None and os.path.isabs(interpreter):
        _check_interpreter_path(interpreter)
    return path


def _check_launcher(path: str) -> None:
    """On Windows installed commands are programs to which a zip file with Python is appended."""
    import zipfile

    if not (path.lower().endswith(".exe") and zipfile.is_zipfile(path)):
        raise UsageError(f"{path} is not a Python program, so whotests cannot measure it")


def _interpreter_of(path: str) -> str | None:
    """The interpreter of a script's first line; None when it is not Python, '' when it may be any.

    Long paths are written by installers as a piece of shell which executes the interpreter.
    """
    with open(path, "rb") as file:
        head = file.read(1024)
    if not head.startswith(b"#!"):
        return None
    first, *more = head.decode("utf-8", "replace").splitlines()
    words = first[2:].split()
    if words[:1] == ["/bin/sh"] and more and more[0].startswith("'''exec'"):
        words = [more[0].removeprefix("'''exec'").strip().removesuffix('"$0" "$@"').strip(' "')]
    if not words:
        return None
    if os.path.basename(words[0]) == "env":
        named = [word for word in words[1:] if not word.startswith("-")]
        return "" if named and _PYTHON.match(named[0]) else None
    return words[0] if _PYTHON.match(os.path.basename(words[0])) else None


def _is_installed(path: str) -> bool:
    folder = os.path.realpath(os.path.dirname(path))
    return folder in {
        os.path.realpath(place)
        for place in (sysconfig.get_path("scripts"), os.path.dirname(sys.executable))
    }


def _search_path(first: str, options: tuple[str, ...], *, cwd: Path, root: Path) -> tuple[str, ...]:
    """Folders that imports of the command look in; runners add the project's own later on."""
    flags = "".join(option[1:] for option in options if re.match(r"^-[A-Za-z]+$", option))
    own = list(sys.path if sys.flags.safe_path else sys.path[1:])
    if "E" in flags or "I" in flags:
        ignored = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        own = [entry for entry in own if entry not in ignored]
    return tuple(dict.fromkeys([first, *own, str(cwd), str(root), str(root / "src")]))
