"""The answers as JSON objects, as docs/json.md describes them.

May import the standard library, types and query. Refuses to change a shape without raising
its version.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from whotests.query.lines import shown_percent
from whotests.query.report import FileRow, Report
from whotests.query.sources import Staleness
from whotests.query.status import RunRow, Status
from whotests.query.what import FileRan, What
from whotests.query.who import Asked, LabelHit, TestHit, Who
from whotests.store.values import Run, Test
from whotests.types import lines_in

__all__ = ["report_json", "status_json", "what_json", "who_json"]

VERSION: Final = 1
"""Of all four shapes. Raised when a key goes or changes its meaning; new keys may come any time."""

_Object = dict[str, object]


def who_json(answer: Who, *, data: Path, runs: Iterable[Run]) -> _Object:
    """`whotests who --json`."""
    return {
        **_header("who", data, runs),
        "targets": [_asked(asked) for asked in answer.asked],
        "tests": [_hit(hit) for hit in answer.tests],
        "imported_by": [_hit(hit) for hit in answer.importers],
        "labels": [_label(hit) for hit in answer.labels],
        "commands": list(answer.commands),
    }


def what_json(answer: What, *, data: Path, runs: Iterable[Run]) -> _Object:
    """`whotests what --json`."""
    return {
        **_header("what", data, runs),
        "tests": [_test(test) for test in answer.tests],
        "complete": answer.complete,
        "lines": answer.lines,
        "lines_alone": answer.alone,
        "files": [_file_ran(file) for file in answer.files],
    }


def report_json(answer: Report, *, data: Path, runs: Iterable[Run]) -> _Object:
    """`whotests report --json`."""
    return {
        **_header("report", data, runs),
        "files": [_row(row) for row in answer.rows],
        "not_measured": [{"path": one.path, "reason": one.reason} for one in answer.unmeasured],
        "total": {
            "statements": answer.statements,
            "missing": answer.missing,
            "percent": answer.percent,
            "percent_shown": shown_percent(answer.percent),
            "import_only": answer.import_only,
            "tests": answer.tests,
        },
    }


def status_json(answer: Status, *, runs: Iterable[Run]) -> _Object:
    """`whotests status --json`."""
    return {
        **_header("status", answer.path, runs),
        "size": answer.size,
        "runs": [_run_row(row) for row in answer.runs],
        "tests": answer.tests,
        "contexts": answer.contexts,
        "labels": list(answer.labels),
        "files": {state.value: number for state, number in answer.files.items()},
        "stale": [_stale(one) for one in answer.stale],
    }


def _header(question: str, data: Path, runs: Iterable[Run]) -> _Object:
    return {
        "format": f"whotests-{question}",
        "version": VERSION,
        "data": str(data),
        "incomplete_runs": [run.id for run in runs if not run.complete],
    }


def _asked(asked: Asked) -> _Object:
    target = asked.target
    return {
        "target": target.text,
        "path": target.file.path,
        "units": [unit.name for unit in target.units],
        "first_line": target.first_line,
        "last_line": target.last_line,
        "file_state": target.file.state.value,
        "reason": target.file.reason,
        "statements": _lines(asked.statements),
        "imported": _lines(asked.imported),
        "headers": _lines(asked.headers),
        "excluded": _lines(asked.excluded),
        "tested": _lines(asked.tested),
        "ran": _lines(asked.ran),
        "nearest_statements": list(asked.nearest_statements),
        "nearest_run": [
            {"line": near.line, "tests": near.tests, "at_import": near.at_import}
            for near in asked.near
        ],
        "stale": _stale(asked.stale),
    }


def _hit(hit: TestHit) -> _Object:
    return {
        **_test(hit.test),
        "phases": [phase.value for phase in hit.phases],
        "complete": hit.complete,
        "lines_run": hit.total_lines,
        "lines": _lines_by_path(hit.lines),
    }


def _test(test: Test) -> _Object:
    return {
        "test": test.name,
        "runner": test.runner.value,
        "outcome": test.outcome.value,
        "duration": test.duration,
        "run": test.run_id,
    }


def _label(hit: LabelHit) -> _Object:
    return {
        "label": hit.label,
        "at_import": hit.at_import,
        "lines": _lines_by_path(hit.lines),
    }


def _file_ran(file: FileRan) -> _Object:
    return {
        "path": file.file.path,
        "digest": file.file.digest.hex(),
        "lines": file.lines.bit_count(),
        "lines_alone": file.alone.bit_count(),
        "units": [
            {
                "name": ran.unit.name,
                "kind": ran.unit.kind.value,
                "first_line": ran.unit.first_line,
                "last_line": ran.unit.last_line,
                "lines": _lines(ran.lines),
                "lines_alone": _lines(ran.alone),
            }
            for ran in file.units
        ],
        "imported_lines": _lines(file.imported),
        "stale": _stale(file.stale),
    }


def _row(row: FileRow) -> _Object:
    return {
        "path": row.path,
        "imported": row.imported,
        "statements": row.statements.bit_count(),
        "missing": row.missing.bit_count(),
        "percent": row.percent,
        "percent_shown": shown_percent(row.percent),
        "tests": row.tests,
        "import_only": row.import_only.bit_count(),
        "missing_lines": _lines(row.missing),
        "import_only_lines": _lines(row.import_only),
        "stale": _stale(row.stale),
    }


def _run_row(row: RunRow) -> _Object:
    run = row.run
    return {
        "id": run.id,
        "command": list(run.command),
        "label": run.label,
        "status": "killed" if run.killed else run.status.value,
        "note": run.note,
        "exit_status": run.exit_status,
        "started": run.started,
        "ended": run.ended,
        "last_written": run.heartbeat,
        "root": run.root,
        "python": run.python,
        "platform": run.platform,
        "host": run.host,
        "pid": run.pid,
        "whotests": run.whotests,
        "tests": row.tests,
        "outcomes": {outcome.value: number for outcome, number in row.outcomes.items()},
    }


def _stale(stale: Staleness | None) -> _Object | None:
    if stale is None:
        return None
    return {
        "path": stale.path,
        "gone": stale.gone,
        "recorded": stale.recorded,
        "digest": stale.digest.hex(),
    }


def _lines(bits: int) -> list[int]:
    return list(lines_in(bits))


def _lines_by_path(lines: Mapping[str, int]) -> dict[str, list[int]]:
    return {path: _lines(bits) for path, bits in lines.items()}
