"""A command under measurement finds itself as Python alone would have made it."""

import sys
import zipfile
from pathlib import Path

import pytest

from measured_commands import Ended, run_measured, run_plain, write_files

SHOW = """
    import os, sys
    main = sys.modules["__main__"]
    print("argv", sys.argv, "orig", sys.orig_argv[1:])
    print("path", sys.path)
    for name in sorted(vars(main)):
        value = vars(main)[name]
        print(name, type(value), repr(value).split(" at 0x")[0] if name[:2] == "__" else "")
    print(vars(main) is globals(), os.getcwd(), sys._getframe().f_code.co_filename)
    print(sys.flags, sys.warnoptions, sys._xoptions, sys.excepthook is sys.__excepthook__)
    print(getattr(main.__loader__, "name", None), getattr(main.__loader__, "path", None))
    print(len(sys.path_hooks), sys.getrecursionlimit(), __name__, dir())
"""


def both(*words: str, cwd: Path, env: dict[str, str] | None = None) -> tuple[Ended, Ended]:
    """The command plainly and measured."""
    return run_plain(*words, cwd=cwd, env=env), run_measured(*words, cwd=cwd, env=env)


@pytest.fixture(autouse=True)
def shown(tmp_path: Path) -> None:
    """The showing program as a script, a package with `__main__`, a folder and a zip file."""
    write_files(
        tmp_path,
        {
            "show.py": SHOW,
            "package/__init__.py": "",
            "package/__main__.py": SHOW,
            "package/part.py": SHOW,
            "folder/__main__.py": SHOW,
            "other/empty.txt": "",
        },
    )
    with zipfile.ZipFile(tmp_path / "archive.pyz", "w") as archive:
        archive.write(tmp_path / "show.py", "__main__.py")


@pytest.mark.parametrize(
    "words",
    [
        ("python", "show.py", "a", "--b", "--", "-c"),
        ("python", "./show.py"),
        ("python", "other/../show.py"),
        ("python", "-m", "show", "-v"),
        ("python", "-m", "package", "x"),
        ("python", "-m", "package.part"),
        ("python", "folder", "x"),
        ("python", "archive.pyz", "x"),
        ("python", "-W", "error", "-X", "dev", "show.py"),
        ("python", "-OBb", "-Wignore", "show.py"),
        ("python", "-I", "show.py"),
        ("python", "-P", "-m", "package"),
        ("python", "-E", "-s", "-u", "-Xutf8", "show.py"),
        ("python", "-S", "show.py"),
    ],
    ids=" ".join,
)
def test_program_sees_no_difference(tmp_path: Path, words: tuple[str, ...]) -> None:
    """argv, path, `__main__`, working directory and flags are those of plain Python."""
    plain, measured = both(*words, cwd=tmp_path)
    if "-P" in words:
        assert "No module named" in plain.err  # nothing of the working directory is importable
    else:
        assert plain.status == 0
    assert measured == plain


def test_code_argument_sees_no_difference(tmp_path: Path) -> None:
    """`python -c` finds the same names, path and arguments."""
    text = (tmp_path / "show.py").read_text()
    plain, measured = both("python", "-c", text, "a", "-b", cwd=tmp_path)
    assert plain.status == 0
    assert measured == plain


def test_script_by_link_finds_its_real_folder(tmp_path: Path) -> None:
    """A script that is a symbolic link has the target's folder in `sys.path`."""
    (tmp_path / "other" / "linked.py").symlink_to(tmp_path / "show.py")
    plain, measured = both("python", "other/linked.py", cwd=tmp_path)
    assert measured == plain


def test_executable_script_runs_directly(tmp_path: Path) -> None:
    """A script with a line for its interpreter runs by its own name, like by the system."""
    script = tmp_path / "other" / "tool"
    script.write_text(f"#!{sys.executable}\n" + (tmp_path / "show.py").read_text())
    script.chmod(0o755)
    plain, measured = both("other/tool", "x", cwd=tmp_path)
    assert plain.status == 0
    assert measured == plain


def test_modules_beside_the_script_do_not_replace_ours(tmp_path: Path) -> None:
    """Modules named like the standard library's do not reach into the measuring itself."""
    write_files(
        tmp_path,
        {
            "here/sqlite3.py": "raise SystemExit('imported')",
            "here/json.py": "raise SystemExit('imported')",
            "here/marshal.py": "raise SystemExit('imported')",
            "here/prog.py": "print('fine')",
        },
    )
    measured = run_measured("python", "prog.py", cwd=tmp_path / "here")
    assert measured == Ended(status=0, out="fine\n", err="")
