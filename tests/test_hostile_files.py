"""Files with odd names, of odd kinds, and files that change while they are read."""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from measured_commands import Ended, recorded_lines, run_measured, run_plain, write_files
from whotests.store.reader import Reader
from whotests.types import FileState

linux = pytest.mark.skipif(sys.platform != "linux", reason="names of bytes, FIFOs and links")

QUESTIONS = (("report",), ("report", "--json"), ("status",), ("who", "prog.py"))


def both(folder: Path, *words: str) -> Ended:
    """The same status and output with and without us; afterwards each question is answered."""
    words = words or ("prog.py",)
    env = {"PYTHONIOENCODING": "utf-8:backslashreplace"}  # for those who read it here
    plain = timeless(run_plain("python", *words, cwd=folder))
    options = ("--source", ".", "--branch")
    measured = timeless(run_measured("python", *words, cwd=folder, options=options))
    assert measured == plain
    for question in QUESTIONS:
        asked = run_plain("python", "-P", "-m", "whotests", *question, cwd=folder, env=env)
        assert asked.status == 0, (question, asked.err[-2000:])
    return plain


def timeless(ended: Ended) -> Ended:
    """Without the seconds that pytest says it took."""
    return replace(ended, out=re.sub(r" in [0-9.]+s", "", ended.out))


def states(folder: Path) -> dict[str, tuple[FileState, str]]:
    """What the newest version of each recorded file is, and why."""
    with Reader.open(folder / ".whotests" / "data.db") as reader:
        return {file.path: (file.state, file.reason) for file in reader.files}


def ran(folder: Path, path: str) -> set[int]:
    """The lines that ran of a file, in whatever context."""
    return set().union(*recorded_lines(folder, path).values())


LOADER = """
    import importlib.util, os, sys
    def load(path):
        spec = importlib.util.spec_from_file_location("loaded", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    for name in sorted(os.listdir(b".")):
        if name.startswith(b"odd"):
            module = load(os.fsdecode(name))
            print(ascii(module.__file__), module.f(1))
"""
CODE = "def f(x):\n    if x:\n        return x\n"


@linux
def test_names_that_are_no_words(tmp_path: Path) -> None:
    """Files whose names are in other scripts, hold spaces, quotes or line ends, or cannot be
    decoded, run as plainly, are measured, and every question is answered."""
    write_files(tmp_path, {"prog.py": LOADER})
    names = ["odd ünï 方法.py", "odd 'quoted\".py", "odd\nline.py", "odd\ttab[1].py", "odd%s{0}.py"]
    for name in names:
        (tmp_path / name).write_text(CODE)
    Path(os.fsdecode(bytes(tmp_path) + b"/odd\xff\xfe.py")).write_text(CODE)
    both(tmp_path)
    for name in [*names, r"odd\udcff\udcfe.py"]:
        assert ran(tmp_path, name) == {1, 2, 3}, name


@linux
def test_folder_whose_name_cannot_be_decoded(tmp_path: Path) -> None:
    """A project in a folder with such a name is measured like another."""
    folder = Path(os.fsdecode(bytes(tmp_path) + b"/proj\xe9ct"))
    folder.mkdir()
    write_files(folder, {"prog.py": "import lazy\nprint(lazy.f(1))\n", "lazy.py": CODE})
    both(folder)
    assert ran(folder, "lazy.py") == {1, 2, 3}
    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    for question in (*QUESTIONS, ("who", "lazy.py", "--json")):
        asked = run_plain("python", "-P", "-m", "whotests", *question, cwd=folder, env=strict)
        assert asked.status == 0, (question, asked.err[-2000:])


@linux
def test_what_only_looks_like_a_source(tmp_path: Path) -> None:
    """Folders, FIFOs, sockets, links to nothing and to themselves called `x.py`: the run ends as
    plainly, waits for none of them, and what cannot be read says so."""
    write_files(
        tmp_path,
        {
            "prog.py": "import pkg, pkg.real\nprint(pkg.real.f(1))\n",
            "pkg/__init__.py": "",
            "pkg/real.py": CODE,
            "pkg/folder.py/__init__.py": "x = 1\n",
            "pkg/folder.py/inner.py": "x = 1\n",
        },
    )
    pkg = tmp_path / "pkg"
    os.mkfifo(pkg / "fifo.py")
    (pkg / "dangling.py").symlink_to("nowhere.py")
    (pkg / "own_loop.py").symlink_to("own_loop.py")
    (pkg / "loop").symlink_to(".", target_is_directory=True)
    (pkg / "up").symlink_to("..", target_is_directory=True)
    (pkg / "other_name.py").symlink_to("real.py")
    (pkg / "device.py").symlink_to("/dev/null")
    both(tmp_path)
    assert ran(tmp_path, "pkg/real.py") == {1, 2, 3}
    recorded = states(tmp_path)
    measured = {path for path, (state, _) in recorded.items() if state is FileState.MEASURED}
    assert measured == {"prog.py", "pkg/__init__.py", "pkg/real.py"}
    for path, (state, reason) in recorded.items():
        assert state is not FileState.NOT_MEASURED or reason, path


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_file_that_may_not_be_read(tmp_path: Path) -> None:
    """It is 'not measured' with the system's reason; what imports it fails as plainly."""
    write_files(
        tmp_path,
        {
            "prog.py": "try:\n    import secret\nexcept OSError as error:\n    print(error)\n",
            "secret.py": CODE,
            "other.py": CODE,
        },
    )
    for name in ("secret.py", "other.py"):
        (tmp_path / name).chmod(0)
    both(tmp_path)
    recorded = states(tmp_path)
    for name in ("secret.py", "other.py"):
        assert recorded[name][0] is FileState.NOT_MEASURED
        assert "Permission denied" in recorded[name][1]


CHANGES = {
    "vanishes": 'os.unlink("lazy.py")',
    "becomes a folder": 'os.unlink("lazy.py"); os.mkdir("lazy.py")',
    "becomes broken": 'open("lazy.py", "w").write("def f(:\\n")',
    "becomes binary": 'open("lazy.py", "wb").write(b"\\0\\xff" * 1000)',
    "becomes empty": 'open("lazy.py", "w").close()',
    "grows": 'open("lazy.py", "a").write("# more\\n" * 10_000)',
    "its folder vanishes": 'shutil.rmtree("pkg")',
}


@pytest.mark.parametrize("change", CHANGES)
def test_file_that_changes_after_its_import(tmp_path: Path, change: str) -> None:
    """What ran is kept for the version that ran, whatever became of the file since."""
    write_files(
        tmp_path,
        {
            "prog.py": f"""
                import os, shutil, pkg.inner, lazy
                print(lazy.f(0))
                {CHANGES[change]}
                print(lazy.f(1), pkg.inner.f(1))
            """,
            "lazy.py": CODE,
            "pkg/__init__.py": "",
            "pkg/inner.py": CODE,
        },
    )
    words = ("python", "-P", "-m", "whotests")
    ended = run_measured("python", "prog.py", cwd=tmp_path, options=("--source", ".", "--branch"))
    assert (ended.status, ended.out, ended.err) == (0, "None\n1 1\n", "")
    assert ran(tmp_path, "lazy.py") == {1, 2, 3}
    assert ran(tmp_path, "pkg/inner.py") == {1, 2, 3}
    for question in (*QUESTIONS, ("who", "lazy.py:2"), ("who", "pkg/inner.py::f", "--json")):
        asked = run_plain(*words, *question, cwd=tmp_path)
        assert asked.status == 0, (question, asked.err[-2000:])


def test_files_that_are_rewritten_while_they_are_imported(tmp_path: Path) -> None:
    """A module that another thread rewrites without pause is imported in some version, as
    plainly, again and again; each version that ran is a whole one."""
    versions = ["def f():\n" + "    y = 2\n" * n + f"    return {n}\n" for n in range(5)]
    write_files(
        tmp_path,
        {
            "prog.py": f"""
                import importlib, os, sys, threading
                sys.dont_write_bytecode = True
                VERSIONS = {versions!r}
                stop = False
                def rewrite():
                    while not stop:
                        for text in VERSIONS:
                            with open("next.tmp", "w") as file:
                                file.write(text)
                            os.replace("next.tmp", "lazy.py")
                def main():
                    global stop
                    thread = threading.Thread(target=rewrite)
                    thread.start()
                    import lazy
                    seen = set()
                    for _ in range(200):
                        importlib.reload(lazy)
                        seen.add(lazy.f())
                    stop = True
                    thread.join()
                    print(seen <= set(range(5)))
                main()
            """,
            "lazy.py": versions[0],
        },
    )
    ended = run_measured("python", "prog.py", cwd=tmp_path, options=("--source", ".", "--branch"))
    assert (ended.status, ended.out, ended.err) == (0, "True\n", "")
    with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
        lazy = [file for file in reader.files if file.path == "lazy.py"]
        assert lazy
        for file in lazy:
            assert file.state in (FileState.MEASURED, FileState.NOT_IMPORTED), file.reason


@linux
def test_names_in_a_suite(tmp_path: Path) -> None:
    """Tests and parameters named in every script are told apart, asked for and printed."""
    write_files(
        tmp_path,
        {
            "subject.py": CODE,
            "test_names.py": """
                import pytest
                from subject import f
                WORDS = ["", " ", "\\n", "\\0", "ü", "方法", "a" * 500, "\\ud800"]
                WORDS += ["::", "[x]", "|", "'"]
                @pytest.mark.parametrize("word", WORDS)
                def test_ünï(word):
                    assert f(word) == (word or None)
            """,
        },
    )
    write_files(tmp_path, {"prog.py": ""})
    both(tmp_path, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore")
    facts = recorded_lines(tmp_path, "subject.py")
    tests = [name for name in facts if name.startswith("test_names.py::test_")]
    assert len([name for name in tests if name.endswith("|call")]) == 12
