"""Damaged files of other tools by the thousand: none ends otherwise than with a sentence.

`make fuzz` does the same with a hundred thousand of each format.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreign_fuzz import FORMATS, Fuzz
from foreign_texts import Report, cobertura_of, json_of, lcov_of, reports, wild_reports

FILES = 1000
FUZZ = Path(__file__).with_name("foreign_fuzz.py")
MEMORY = Path("/dev/shm")


@pytest.mark.parametrize("format_name", FORMATS)
def test_damaged_files_are_imported_or_refused(tmp_path: Path, format_name: str) -> None:
    """With status 2, one line that says why, and nothing imported; in time, in little memory, and
    leaving nothing behind."""
    words = (sys.executable, FUZZ, format_name, str(FILES), "1")
    # Each import waits for the disk, if there is one.
    folder = MEMORY if MEMORY.is_dir() else tmp_path
    ended = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(folder)}
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = re.search(r"([\d,]+) imported, ([\d,]+) refused", ended.stdout)
    assert found is not None
    assert min(int(each.replace(",", "")) for each in found.groups()) > FILES / 20


RENDERED = {"coverage-json": json_of, "lcov": lcov_of, "cobertura": cobertura_of}


@pytest.fixture(scope="module", params=RENDERED)
def fuzz(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Fuzz:
    """A project to import into, for each format of text."""
    return Fuzz(tmp_path_factory.mktemp("fuzz"), request.param)


SLOW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SLOW
@given(report=reports())
def test_what_fits_together_is_read(fuzz: Fuzz, report: Report) -> None:
    """What a report of any content says is what is read: lines, branches, contexts."""
    assert fuzz.read(RENDERED[fuzz.format](report)) == report.as_read(fuzz.format)


@SLOW
@given(report=wild_reports(), cut=st.none() | st.integers(0, 2000))
def test_what_does_not_fit_together_is_refused(fuzz: Fuzz, report: Report, cut: int | None) -> None:
    """Any numbers, names and paths, and documents that end anywhere."""
    fuzz.one(RENDERED[fuzz.format](report)[:cut], "made by hypothesis")
