"""The answers as JSON objects, as docs/json.md describes them.

May import the standard library, types and query. Refuses to change a shape without raising
its version.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from whotests.query.forks import Way
from whotests.query.lines import shown_percent
from whotests.query.numbers import Numbers, Part
from whotests.query.report import FileRow, RegionRow, Report
from whotests.query.runs import Runs
from whotests.query.sources import Staleness
from whotests.query.status import RunRow, Status
from whotests.query.what import FileRan, What
from whotests.query.who import Asked, LabelHit, TestHit, Who
from whotests.store.values import Run, Test
from whotests.types import Outcome, lines_in

__all__ = ["header", "report_json", "runs_json", "sql_json", "status_json", "what_json", "who_json"]

VERSION: Final = 1
"""Of all shapes. Raised when a key goes or changes its meaning; new keys may come any time."""

_Object = dict[str, object]


def who_json(answer: Who, *, data: Sequence[Path], runs: Iterable[Run]) -> _Object:
    """`whotests who --json`."""
    return {
        **header("who", data, runs),
        "targets": [_asked(asked) for asked in answer.asked],
        "tests": [_hit(hit) for hit in answer.tests],
        "imported_by": [_hit(hit) for hit in answer.importers],
        "labels": [_label(hit) for hit in answer.labels],
        "commands": list(answer.commands),
    }


def what_json(answer: What, *, data: Sequence[Path], runs: Iterable[Run]) -> _Object:
    """`whotests what --json`."""
    return {
        **header("what", data, runs),
        "tests": [_test(test) for test in answer.tests],
        "complete": answer.complete,
        "lines": answer.lines,
        "lines_alone": answer.alone,
        "files": [_file_ran(file) for file in answer.files],
    }


def report_json(answer: Report, *, data: Sequence[Path], runs: Iterable[Run]) -> _Object:
    """`whotests report --json`."""
    return {
        **header("report", data, runs),
        "files": [_row(row, branch=answer.branch) for row in answer.rows],
        "not_measured": [{"path": one.path, "reason": one.reason} for one in answer.unmeasured],
        "total": {
            **_numbers(answer.total, branch=answer.branch),
            "import_only": answer.import_only,
            "tests": answer.tests,
        },
        "branch": answer.branch,
        "runs_without_branches": [run.id for run in answer.without_branches],
        "recorded_rules": list(answer.rules_kept),
    }


def status_json(answer: Status, *, runs: Iterable[Run]) -> _Object:
    """`whotests status --json`."""
    return {
        **header("status", answer.paths, runs),
        "size": answer.size,
        "runs": [_run_row(row) for row in answer.runs],
        "other_runs": answer.other_runs,
        "tests": answer.tests,
        "contexts": answer.contexts,
        "labels": list(answer.labels),
        "files": {state.value: number for state, number in answer.files.items()},
        "stale": [_stale(one) for one in answer.stale],
    }


def runs_json(answer: Runs) -> _Object:
    """`whotests runs --json`."""
    return {
        **header("runs", answer.paths, [kept.run for kept in answer.kept]),
        "runs": [
            {
                **_run(kept.run),
                "generation": kept.generation,
                "asked": kept.asked,
                "superseded": kept.run.superseded,
                **_outcomes(kept.outcomes),
            }
            for kept in answer.kept
        ],
        "past_runs": answer.past,
    }


def sql_json(*, data: Sequence[Path], runs: Iterable[Run]) -> _Object:
    """`whotests sql --json`, but for its columns and rows."""
    return header("sql", data, runs)


def header(question: str, data: Sequence[Path], runs: Iterable[Run]) -> _Object:
    """What each answer begins with."""
    return {
        "format": f"whotests-{question}",
        "version": VERSION,
        "data": str(data[0]),
        "data_files": list(map(str, data)),
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
        "branch": target.branch,
        "file_state": target.file.state.value,
        "reason": target.file.reason,
        "statements": _lines(asked.statements),
        "imported": _lines(asked.imported),
        "headers": _lines(asked.headers),
        "excluded": _lines(asked.excluded),
        "tested": _lines(asked.tested),
        "ran": _lines(asked.ran),
        "branches": [_way(way, asked) for way in asked.ways],
        "missing_branches": asked.missed,
        "nearest_statements": list(asked.nearest_statements),
        "nearest_run": [
            {"line": near.line, "tests": near.tests, "at_import": near.at_import}
            for near in asked.near
        ],
        "stale": _stale(asked.stale),
    }


def _way(way: Way, asked: Asked) -> _Object:
    return {
        "to": way.end,
        "tests": way.tests,
        "taken": way.taken,
        "excluded": way.excluded,
        "partial": asked.partial,
    }


def _hit(hit: TestHit) -> _Object:
    return {
        **_test(hit.test),
        "phases": [phase.value for phase in hit.phases],
        "complete": hit.complete,
        "lines_run": hit.total_lines,
        "lines": _lines_by_path(hit.lines),
        "branches": hit.branches,
    }


def _test(test: Test) -> _Object:
    return {
        "test": test.name,
        "label": test.label,
        "title": test.title,
        "runner": test.runner.value,
        "outcome": test.outcome.value,
        "duration": test.duration,
        "run": test.run_id,
    }


def _label(hit: LabelHit) -> _Object:
    return {
        "label": hit.label,
        "run_label": hit.run_label,
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
                "branches": ran.branches,
                "branches_alone": ran.branches_alone,
            }
            for ran in file.units
        ],
        "imported_lines": _lines(file.imported),
        "stale": _stale(file.stale),
    }


def _row(row: FileRow, *, branch: bool) -> _Object:
    return {
        "path": row.path,
        "imported": row.imported,
        **_part(row.part, branch=branch),
        "tests": row.tests,
        "import_only": row.import_only.bit_count(),
        "import_only_lines": _lines(row.import_only),
        "functions": _regions(row.functions, branch=branch),
        "classes": _regions(row.classes, branch=branch),
        "stale": _stale(row.stale),
    }


def _regions(rows: Iterable[RegionRow] | None, *, branch: bool) -> list[_Object] | None:
    if rows is None:
        return None
    return [
        {
            "name": row.unit.name if row.unit else "",
            "first_line": row.unit.first_line if row.unit else None,
            "last_line": row.unit.last_line if row.unit else None,
            **_part(row.part, branch=branch),
        }
        for row in rows
    ]


def _part(part: Part, *, branch: bool) -> _Object:
    ran = part.statements & ~part.missing
    lines: _Object = {
        **_numbers(part.numbers, branch=branch),
        "run_lines": _lines(ran),
        "missing_lines": _lines(part.missing),
        "excluded_lines": _lines(part.excluded),
    }
    if branch:
        lines["taken_branches"] = part.taken
        lines["missing_branches"] = part.missed
    return lines


def _numbers(numbers: Numbers, *, branch: bool) -> _Object:
    counts: _Object = {
        "statements": numbers.statements,
        "missing": numbers.missing,
        "excluded": numbers.excluded,
        "percent": numbers.percent,
        "percent_shown": int(shown_percent(numbers.percent)),
    }
    if branch:
        counts["branches"] = numbers.branches
        counts["branches_partial"] = numbers.partial_branches
        counts["branches_missing"] = numbers.missing_branches
    return counts


def _run_row(row: RunRow) -> _Object:
    return {**_run(row.run), **_outcomes(row.outcomes)}


def _outcomes(outcomes: Mapping[Outcome, int]) -> _Object:
    return {
        "tests": sum(outcomes.values()),
        "outcomes": {outcome.value: number for outcome, number in outcomes.items()},
    }


def _run(run: Run) -> _Object:
    return {
        "id": run.id,
        "uid": run.uid.hex(),
        "name": run.name,
        "command": list(run.command),
        "label": run.label,
        "branch": run.branch,
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
