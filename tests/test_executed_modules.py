"""Modules that come another way than once, from a file in a folder of a package."""

import json
import re
from pathlib import Path

import pytest

from measured_commands import recorded_lines, run_measured, run_plain, write_files
from same_lines import assert_same_lines
from whotests.store.reader import Reader
from whotests.types import lines_in

PROGRAMS: dict[str, dict[str, str]] = {
    "reload": {
        "prog.py": """
            import importlib, mod
            print(mod.value())
            print(importlib.reload(mod).value(), mod.loads)
        """,
        "mod.py": """
            loads = globals().get("loads", 0) + 1

            def value():
                if loads > 1:
                    return "again"
                return "first"
        """,
    },
    "a namespace package": {
        "prog.py": """
            import parts.one.deep, parts.two
            from parts.one import deep
            print(deep.value(), parts.two.value(), parts.__path__.__class__.__name__)
        """,
        "parts/one/deep.py": "def value():\n    return 1\n",
        "parts/two.py": "def value():\n    return 2\n",
    },
    "scripts without an extension": {
        "prog.py": """
            import runpy
            runpy.run_path("bin/script")
            exec(compile(open("bin/script").read(), "bin/script", "exec"))
        """,
        "bin/script": """
            #!/usr/bin/env python
            def value():
                if __name__ == "__main__":
                    return 1
                return 2
            print(value())
        """,
    },
}


@pytest.mark.parametrize("files", PROGRAMS.values(), ids=PROGRAMS)
def test_unusual_modules(files: dict[str, str], tmp_path: Path) -> None:
    """They have the lines that coverage.py has."""
    ours, _ = assert_same_lines(tmp_path, files)
    assert set(ours) == set(files)


def test_a_script_without_an_extension(tmp_path: Path) -> None:
    """It may be the command itself."""
    write_files(tmp_path, {"tool": "def f():\n    return 1\n\nprint(f())\n"})
    ended = run_measured("python", "tool", cwd=tmp_path, options=("--source", "."))
    assert (ended.status, ended.out) == (0, "1\n"), ended.err
    assert set().union(*recorded_lines(tmp_path, "tool").values()) == {1, 2, 4}


def test_a_file_that_is_rewritten(tmp_path: Path) -> None:
    """Each version has its own facts; answers are given of the one that is on the disk."""
    program = """
        import importlib, pathlib, sys
        import mod
        mod.f(True)
        path = pathlib.Path(mod.__file__)
        path.write_text("# a new first line\\n" + path.read_text())
        importlib.invalidate_caches()
        importlib.reload(mod)
        mod.f(False)
        del sys.modules["mod"]
        path.write_text("def f(x):\\n    return x\\n")
        import mod
        mod.f(0)
    """
    module = """
        def f(x):
            if x:
                return "yes"
            return "no"
    """
    write_files(tmp_path, {"prog.py": program, "mod.py": module})
    ended = run_measured("python", "prog.py", cwd=tmp_path, options=("--source", "."))
    assert ended.status == 0, ended.err
    ran = {}
    with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
        for file in reader.files:
            if file.path == "mod.py":
                lines = [lines_in(pattern.lines) for pattern in reader.patterns(file.id)]
                ran[file.line_count] = {int(line) for some in lines for line in some}
    assert ran == {4: {1, 2, 3}, 5: {2, 3, 5}, 2: {1, 2}}
    told = run_plain("python", "-m", "whotests", "who", "mod.py:2", cwd=tmp_path)
    assert "changed" not in told.out + told.err


ARCHIVE = {
    "pack.py": """
        import sys, zipfile
        with zipfile.ZipFile("lib.zip", "w") as archive:
            for name in ("pkg/__init__.py", "pkg/mod.py", "pkg/unused.py", "top.py"):
                archive.write("plain/" + name, name)
    """,
    "plain/pkg/__init__.py": "from pkg.mod import half\n",
    "plain/pkg/mod.py": """
        def half(x):
            if x > 3:
                return x // 2
            return 0

        def raises():
            raise LookupError
    """,
    "plain/pkg/unused.py": "value = 1\n",
    "plain/top.py": "value = 2\n",
    "prog.py": """
        import sys, traceback
        sys.path.insert(0, "lib.zip")
        import pkg, top, pkg.mod
        print(pkg.half(8), top.value, type(pkg.__loader__).__name__)
        print(pkg.mod.__file__, pkg.mod.__spec__.origin)
        print(pkg.mod.__loader__.get_source("pkg.mod"))
        print(pkg.mod.half.__code__.co_filename)
        try:
            pkg.mod.raises()
        except LookupError:
            traceback.print_exc(file=sys.stdout)
        try:
            import pkg.missing
        except ImportError:
            traceback.print_exc(file=sys.stdout)
    """,
}


def test_an_archive_in_the_source(tmp_path: Path) -> None:
    """A module that is imported from a zip archive in a source folder has its lines, under a path
    through the archive; with the archive as the source, the others are known too."""
    write_files(tmp_path, ARCHIVE)
    assert run_plain("python", "pack.py", cwd=tmp_path).status == 0
    plain = run_plain("python", "prog.py", cwd=tmp_path)
    for source in (".", "lib.zip"):
        ended = run_measured("python", "prog.py", cwd=tmp_path, options=("--source", source))
        assert ended == plain
        assert ended.status == 0, ended.err
        ran = recorded_lines(tmp_path, "lib.zip/pkg/mod.py")
        assert set().union(*ran.values()) == {1, 2, 3, 6, 7}
        assert set().union(*recorded_lines(tmp_path, "lib.zip/top.py").values()) == {1}
        who = run_plain("python", "-m", "whotests", "report", "--json", cwd=tmp_path)
        files = {file["path"]: file for file in json.loads(who.out)["files"]}
        assert files["lib.zip/pkg/mod.py"]["stale"] is None
        assert ("lib.zip/pkg/unused.py" in files) == (source == "lib.zip")
        assert "lib.zip" not in files


def test_an_archive_that_is_run(tmp_path: Path) -> None:
    """`python app.zip` runs the archive's `__main__`, and measures it."""
    pack = """
        import zipfile
        with zipfile.ZipFile("app.zip", "w") as archive:
            archive.writestr("__main__.py", "import inner\\nprint(inner.value)\\n")
            archive.writestr("inner.py", "value = 3\\n")
    """
    write_files(tmp_path, {"pack.py": pack})
    assert run_plain("python", "pack.py", cwd=tmp_path).status == 0
    ended = run_measured("python", "app.zip", cwd=tmp_path, options=("--source", "."))
    assert (ended.status, ended.out) == (0, "3\n"), ended.err
    assert set().union(*recorded_lines(tmp_path, "app.zip/__main__.py").values()) == {1, 2}
    assert set().union(*recorded_lines(tmp_path, "app.zip/inner.py").values()) == {1}


def test_modules_that_were_imported_too_early(tmp_path: Path) -> None:
    """They are reported as such, and none of their lines as missed."""
    files = {
        "early/sitecustomize.py": "import sys; sys.path.insert(0, PROJECT); import first\n",
        "first.py": "def f():\n    return 1\n",
        "second.py": "def g():\n    return 2\n",
        "prog.py": "import first, second\nprint(first.f() + second.g())\n",
    }
    files["early/sitecustomize.py"] = files["early/sitecustomize.py"].replace(
        "PROJECT", repr(str(tmp_path))
    )
    write_files(tmp_path, files)
    ended = run_measured(
        "python",
        "prog.py",
        cwd=tmp_path,
        options=("--source", "first.py", "--source", "second.py"),
        env={"PYTHONPATH": str(tmp_path / "early")},
    )
    assert (ended.status, ended.out) == (0, "3\n"), ended.err
    report = run_plain("python", "-m", "whotests", "report", cwd=tmp_path)
    told = re.sub(r"\s+", " ", report.out)
    assert "it was imported before measuring began" in told
    assert "100%" in told
    told = run_plain("python", "-m", "whotests", "report", "--json", cwd=tmp_path).out
    answer = json.loads(told)
    assert [file["path"] for file in answer["files"]] == ["second.py"]
    assert [file["path"] for file in answer["not_measured"]] == ["first.py"]
