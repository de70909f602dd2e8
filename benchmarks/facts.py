"""What coverage.py's data of a run with contexts says about the work: the yardstick for sizes."""

from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData

__all__ = ["Facts", "read_facts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How much there was to record, and the line that the most tests run."""

    facts: int
    """Pairs of (test and phase, line)."""
    source_lines: int
    """Physical lines of the measured files that were imported."""
    files: int
    busiest_file: Path
    busiest_line: int
    busiest_contexts: int
    """In how many contexts that line ran."""


def read_facts(data_file: Path) -> Facts:
    """What a `.coverage` file holds; raises ValueError when it holds no line of any test."""
    data = CoverageData(basename=str(data_file))
    data.read()
    facts = source_lines = files = 0
    busiest: tuple[int, str, int] | None = None
    for name in data.measured_files():
        by_line = data.contexts_by_lineno(name)
        if not by_line:
            continue  # never imported: coverage.py lists it to report its lines as missing
        files += 1
        source_lines += len(Path(name).read_bytes().splitlines())
        for line, contexts in by_line.items():
            in_tests = sum(1 for context in contexts if context)
            facts += in_tests
            if busiest is None or in_tests > busiest[0]:
                busiest = (in_tests, name, line)
    if busiest is None or busiest[0] == 0:
        raise ValueError(f"{data_file} holds no line that a test ran")
    return Facts(
        facts=facts,
        source_lines=source_lines,
        files=files,
        busiest_file=Path(busiest[1]),
        busiest_line=busiest[2],
        busiest_contexts=busiest[0],
    )
