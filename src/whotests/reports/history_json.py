"""The answer to `whotests history` as a JSON object, as docs/json.md describes it.

May import types and query. Refuses to change a shape without raising its version.
"""

from whotests.query.history import History
from whotests.reports.as_json import header
from whotests.store.series import RunThen, Series

__all__ = ["history_json"]

_Object = dict[str, object]


def history_json(answer: History) -> _Object:
    """`whotests history --json`."""
    told = answer.told
    return {
        **header("history", told.paths, told.kept),
        "runs": [_run(run) for run in told.runs],
        "flaky": [
            {
                **_test(flaky.series),
                "flips": flaky.flips,
                "failed": flaky.failed,
                "ran": flaky.ran,
                "last": flaky.last.started,
            }
            for flaky in answer.flaky
        ],
        "slower": [
            {**_test(slow.series), "before": slow.before, "now": slow.now} for slow in answer.slower
        ],
        "tests": [
            {
                **_test(series),
                "entries": [
                    {
                        "run": entry.run.uid.hex(),
                        "started": entry.run.started,
                        "outcome": entry.outcome.value,
                        "duration": entry.duration,
                        "code": entry.code,
                    }
                    for entry in series.entries
                ],
            }
            for series in answer.asked
        ],
    }


def _test(series: Series) -> _Object:
    return {"test": series.title, "name": series.name, "label": series.label}


def _run(run: RunThen) -> _Object:
    return {
        "uid": run.uid.hex(),
        "name": run.name,
        "label": run.label,
        "started": run.started,
        "measured": run.measured,
        "kept": run.kept,
    }
