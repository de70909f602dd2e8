"""Suites that are made to be run by any runner: cases of `unittest`, in a package `tests`."""

import shutil
from pathlib import Path

__all__ = ["BOUND", "TRIVIAL", "make_suite"]

TRIVIAL = "        self.assertEqual({number}, {number})"
"""A test that does next to nothing."""

BOUND = """\
        found = sorted(hash((number * {number} + 1, "text")) % 9973 for number in range(9_000))
        self.assertEqual(len(found), 9_000)"""
"""A test that keeps the processor busy for some milliseconds."""

_IN_A_CLASS = 20
_IN_A_MODULE = 200


def make_suite(folder: Path, *, tests: int, body: str) -> None:
    """A project with so many tests, made anew; `body` is that of each, with its number."""
    shutil.rmtree(folder, ignore_errors=True)
    package = folder / "tests"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
    conf = "[DEFAULT]\ntest_path=./tests\ntop_dir=./\n"
    (folder / ".stestr.conf").write_text(conf, encoding="utf-8")
    for first in range(0, tests, _IN_A_MODULE):
        lines = ["import unittest"]
        for number in range(first, min(tests, first + _IN_A_MODULE)):
            if number % _IN_A_CLASS == 0:
                lines += ["", "", f"class Test{number // _IN_A_CLASS}(unittest.TestCase):"]
            lines += [f"    def test_{number}(self):", body.format(number=number)]
        text = "\n".join(lines) + "\n"
        (package / f"test_{first // _IN_A_MODULE:04}.py").write_text(text, encoding="utf-8")
