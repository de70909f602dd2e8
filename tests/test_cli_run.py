"""`whotests run` takes a command apart, and refuses what it cannot measure before it runs."""

import os
import sys
from pathlib import Path

import pytest

from measured_commands import SCRIPTS, run_measured, write_files
from whotests.cli.command_line import read_command
from whotests.errors import UsageError

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a script, and no active environment of the shell's."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    write_files(tmp_path, {"prog.py": "", "tool.sh": "#!/bin/sh\n"})
    return tmp_path


@pytest.mark.parametrize(
    ("words", "options", "arguments"),
    [
        ("python prog.py -x", "", "prog.py -x"),
        ("python3 -m pytest -q", "", "-m pytest -q"),
        (f"{PYTHON} -mpytest -q", "", "-m pytest -q"),
        ("python -W error -X dev -OB -m mod -W x", "-W error -X dev -OB", "-m mod -W x"),
        ("python -Werror -uc pass", "-Werror -u", "-c pass"),
        ("python -bW error prog.py", "-bW error", "prog.py"),
        (
            "python --check-hash-based-pycs always prog.py",
            "--check-hash-based-pycs always",
            "prog.py",
        ),
        (f"{sys.executable} -I prog.py", "-I", "prog.py"),
        ("prog.py a b", "", "prog.py a b"),
        ("./prog.py a", "", "./prog.py a"),
        ("pytest -q", "", f"{SCRIPTS}/pytest -q"),
        ("trial tests", "", f"{SCRIPTS}/trial tests"),
    ],
)
def test_command_is_taken_apart(folder: Path, words: str, options: str, arguments: str) -> None:
    """Options of the interpreter, and what it is to run."""
    command = read_command(tuple(words.split()), cwd=folder, root=folder)
    assert command.options == tuple(options.split())
    assert command.arguments == tuple(arguments.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "no command to run; for instance: whotests run -- pytest"),
        ("python", "names no script or module"),
        ("python -", "names no script or module"),
        ("python -m", "needs an argument"),
        ("python -k prog.py", "no option '-k'"),
        ("python nothing.py", "no file 'nothing.py'"),
        ("nothing", "no command 'nothing'"),
        ("./nothing", "no file './nothing'"),
        ("./tool.sh", "is not a Python program"),
        ("python2 prog.py", "is not the Python of the environment"),
        ("python3.99 prog.py", "is not the Python of the environment"),
    ],
)
def test_what_cannot_be_measured_is_told(folder: Path, words: str, told: str) -> None:
    """The message says what is missing or wrong."""
    with pytest.raises(UsageError, match=told.replace("(", r"\(")):
        read_command(tuple(words.split()), cwd=folder, root=folder)


def test_interpreter_of_another_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By path, by a script's first line, or by the shell's active environment."""
    other = folder / "env" / "bin" / "python"
    other.parent.mkdir(parents=True)
    other.symlink_to(os.path.realpath(sys.executable))
    write_files(folder, {"env/bin/tool": f"#!{other}\n"})
    for words in ((str(other), "prog.py"), ("env/bin/tool",)):
        with pytest.raises(UsageError, match="run it from there"):
            read_command(words, cwd=folder, root=folder)
    monkeypatch.setenv("VIRTUAL_ENV", str(folder / "env"))
    monkeypatch.setenv("PATH", str(other.parent))
    with pytest.raises(UsageError, match="run it from there"):
        read_command(("python", "prog.py"), cwd=folder, root=folder)
    # The variable is left over from another shell: what `python` means is this one.
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    assert read_command(("python", "prog.py"), cwd=folder, root=folder)


def test_search_path_begins_where_the_command_begins(folder: Path) -> None:
    """A script's folder goes first; for modules the working directory."""
    write_files(folder, {"deep/prog.py": ""})
    script = read_command(("python", "deep/prog.py"), cwd=folder, root=folder)
    assert script.search_path[0] == os.path.realpath(folder / "deep")
    module = read_command(("python", "-m", "x"), cwd=folder, root=folder)
    assert module.search_path[0] == str(folder)


@pytest.mark.parametrize(
    ("options", "words", "told"),
    [
        ((), (), "no command to run"),
        (("--source", "prg.py"), ("python", "prog.py"), "'prog.py'"),
        ((), ("nothing",), "no command 'nothing'"),
    ],
)
def test_errors_come_before_anything_runs(
    folder: Path, options: tuple[str, ...], words: tuple[str, ...], told: str
) -> None:
    """Exit status 2, one sentence on stderr, nothing on stdout, no data."""
    write_files(folder, {"prog.py": "print('ran')"})
    ended = run_measured(*words, options=options, cwd=folder)
    assert (ended.status, ended.out) == (2, "")
    assert told in ended.err
    assert not (folder / ".whotests").exists()


def test_command_without_dashes(folder: Path) -> None:
    """`--` may be left out, and the command's options are its own."""
    write_files(folder, {"prog.py": "import sys; print(sys.argv[1:])"})
    ended = run_measured(options=("python", "prog.py", "--source", "-h", "--"), cwd=folder)
    assert ended.out == "['--source', '-h', '--', '--']\n"


def test_options_reach_the_run(folder: Path) -> None:
    """Data file, label and omitted files are those of the command line."""
    write_files(folder, {"prog.py": "import other", "other.py": "x = 1"})
    options = ("--data", "d.db", "--context", "py", "--omit", "other.py", "--append")
    assert run_measured("python", "prog.py", options=options, cwd=folder).status == 0
    assert (folder / "d.db").exists()
    assert not (folder / ".whotests" / "data.db").exists()
    assert (folder / ".whotests" / ".gitignore").read_text() == "*\n"  # the cache is in there
