"""Tests that put something in the place of the system's functions, and what their host does."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from measured_commands import write_files
from tested_commands import run_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

REPLACED = {
    "replaced.py": '''
        """Replaces what modules have of `os` and `time`, as pyfakefs and freezegun do."""

        import os
        import sys
        import time
        from types import BuiltinFunctionType, ModuleType


        def refuse(*args, **kwargs):
            raise OSError(9, "Bad file descriptor")


        class Elsewhere(ModuleType):
            def __getattr__(self, name):
                value = getattr(os, name)
                return refuse if isinstance(value, BuiltinFunctionType) else value


        def replaced(value):
            if value is os:
                return Elsewhere("os")
            if isinstance(value, BuiltinFunctionType) and value.__module__ == "posix":
                return refuse
            if value in (time.time, time.monotonic):
                return lambda: 1326499200.0
            return value


        def replace():
            """What takes it back."""
            before = []
            for name, module in list(sys.modules.items()):
                if not name.startswith("whotests."):
                    continue
                for attribute, value in list(vars(module).items()):
                    if isinstance(value, (BuiltinFunctionType, ModuleType)):
                        other = replaced(value)
                        if other is not value:
                            before.append((module, attribute, value))
                            setattr(module, attribute, other)
            assert before

            def take_back():
                for module, attribute, value in before:
                    setattr(module, attribute, value)

            return take_back
    ''',
    "test_replaced.py": """
        import time
        import unittest

        from replaced import replace


        class Replaced(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                cls.addClassCleanup(replace())

            def test_passes(self):
                time.sleep(0.2)

            def test_says(self):
                print("said")
                self.fail("because of it")


        class Then(unittest.TestCase):
            def test_passes(self):
                pass
    """,
}


@pytest.mark.parametrize("host", ["unittest", "pytest"])
def test_a_host_goes_on_though_tests_replace_the_systems_functions(
    tmp_path: Path, host: str
) -> None:
    """While the functions of `os` are somewhere else, verdicts, output and orders come as ever, and
    the time is that of the clock."""
    write_files(tmp_path, REPLACED)
    begun = datetime.now(UTC)
    ended = run_tests(f"{host}:test_replaced.py", cwd=tmp_path)
    statuses = {
        test_id.replace("::", ".").removeprefix("test_replaced.").removeprefix("py."): each
        for test_id, each in ended.verdicts.items()
    }
    assert statuses == {
        "Replaced.test_passes": ["success"],
        "Replaced.test_says": ["fail"],
        "Then.test_passes": ["success"],
    }
    assert (ended.status, ended.outside, ended.notes) == (1, {}, [])
    told = ended.said_of("test_says")
    assert "because of it" in told["traceback"]
    assert told.get("output", told.get("stdout")) == "said\n"
    now = datetime.now(UTC)
    assert all(begun < time < now for times in ended.times.values() for time in times)
    began, over = ended.times[next(iter(ended.times))]
    assert (over - began).total_seconds() > 0.15


def test_a_host_stops_all_though_tests_replace_the_systems_functions(tmp_path: Path) -> None:
    """The last failure that is borne stops all workers, also where files are somewhere else when
    it comes."""
    write_files(tmp_path, REPLACED)
    ended = run_tests("-x", "unittest:test_replaced", cwd=tmp_path)
    assert ended.summary["not_run"] == 1
    assert (tmp_path / ".whotests/runs/1/stop").exists()
