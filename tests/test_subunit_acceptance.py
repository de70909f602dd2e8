"""python-subunit's own tests of the protocol pass with our reader and writer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from peer_sources import fetch_source

pytestmark = pytest.mark.suites

VERSION = "1.4.6"
HERE = Path(__file__).parent
TESTS = 43

DIFFERENCES = {
    "TestStreamResultToBytes.test_volatile_length": (
        "a defect: expects that what is longer than a packet cannot be written"
    ),
}
"""Those that do not pass, each with its reason; all else of them is in test_subunit_writer."""

RUNNER = """
import json, sys, unittest
import protocol2

class Collected(unittest.TestResult):
    outcomes = {}
    def addSuccess(self, test):
        self.outcomes.setdefault(test.id(), "")
    def addError(self, test, err=None, details=None):
        text = "".join(content.as_text() for content in details.values()) if details else str(err)
        self.outcomes[test.id()] = text
    addFailure = addError
    def addSkip(self, test, reason=None, details=None):
        self.outcomes[test.id()] = f"skipped: {reason}"

unittest.defaultTestLoader.loadTestsFromModule(protocol2).run(Collected())
json.dump(Collected.outcomes, sys.stdout)
"""


def test_what_python_subunit_expects_of_the_protocol(tmp_path: Path) -> None:
    """Each test passes, or is listed with a reason and fails."""
    source = fetch_source("python-subunit", VERSION) / "python" / "tests"
    text = (source / "test_test_protocol2.py").read_text(encoding="utf-8")
    ours = text.replace("\nimport subunit\n", "\nimport subunit_names as subunit\n")
    assert ours != text
    (tmp_path / "protocol2.py").write_text(ours, encoding="utf-8")
    path = os.pathsep.join((str(tmp_path), str(HERE), *sys.path))
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    outcomes = {
        test_id.removeprefix("protocol2."): text
        for test_id, text in json.loads(done.stdout).items()
    }
    assert len(outcomes) == TESTS
    unlisted = {name: text for name, text in outcomes.items() if text and name not in DIFFERENCES}
    assert unlisted == {}
    assert [name for name in DIFFERENCES if not outcomes[name]] == []
