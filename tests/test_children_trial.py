"""Twisted: the workers of `trial -j`, and processes that its reactor starts."""

import sys
from pathlib import Path

import pytest

from measured_commands import recorded_lines, recorded_outcomes, run_measured
from measured_commands import write_files as write
from whotests.store.reader import Reader

pytest.importorskip("twisted", reason="twisted is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

TESTS = """
import sys
from twisted.internet import reactor, utils
from twisted.trial.unittest import SynchronousTestCase, TestCase
from product import work

class One(SynchronousTestCase):
    def setUp(self):
        work.prepare()

    def test_works(self):
        work.first()

    def test_fails(self):
        self.assertEqual(work.second(), 0)

class Two(TestCase):
    async def test_child(self):
        code = "from product.work import third; third()"
        await utils.getProcessOutputAndValue(sys.executable, ["-c", code], env=None, path=PATH)

    async def test_child_with_environment(self):
        code = "from product.work import third; third()"
        env = {"ONE": "1"}
        await utils.getProcessOutputAndValue(sys.executable, ["-c", code], env=env, path=PATH)
"""


def test_workers_of_trial_record_the_facts_of_a_serial_run(tmp_path: Path) -> None:
    """With `-j2`, facts and outcomes are those of one process, children of tests included."""
    names = ("prepare", "first", "second", "third")
    write(
        tmp_path,
        {
            "pyproject.toml": "[project]\nname = 'product'\n",
            "product/__init__.py": "",
            "product/work.py": "".join(f"def {name}():\n    return 1\n" for name in names),
            "test_it.py": TESTS.replace("PATH", repr(str(tmp_path))),
        },
    )
    seen = []
    for options in ((), ("-j2",)):
        words = ("python", "-m", "twisted.trial", *options, "test_it")
        done = run_measured(*words, cwd=tmp_path, options=("--source", "product"))
        assert (done.status, done.err) == (1, ""), done.out + done.err
        facts = recorded_lines(tmp_path, "product/work.py")
        seen.append((facts, recorded_outcomes(tmp_path)))
        with Reader.open(tmp_path / ".whotests" / "data.db") as reader:
            assert len(reader.runs) == 1
    (serial, outcomes), (parallel, parallel_outcomes) = seen
    assert {name: lines for name, lines in serial.items() if name != "import"} == {
        name: lines for name, lines in parallel.items() if name != "import"
    }
    assert parallel_outcomes == outcomes
    assert serial["test_it.One.test_works|call"] == {4}
    assert serial["test_it.Two.test_child|call"] == {1, 3, 5, 7, 8}
    assert serial["test_it.Two.test_child_with_environment|call"] == {1, 3, 5, 7, 8}
    assert set(outcomes.values()) == {"passed", "failed"}
