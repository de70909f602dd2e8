"""A plugin of pytest's that writes how each test ended, as pytest itself counts it."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

_worst = {"passed": 0, "xfailed": 1, "skipped": 2, "failed": 3}
_ended: dict[str, str] = {}
_outside: dict[str, str] = {}


def _counted(report: Any) -> str | None:
    if hasattr(report, "wasxfail") and report.outcome == "skipped":
        return "xfailed"
    if report.outcome == "passed":
        return "passed" if report.when == "call" else None
    return report.outcome if report.outcome in _worst else None


def pytest_runtest_logreport(report: Any) -> None:
    if report.outcome == "rerun":
        _ended.pop(report.nodeid, None)
        return
    now = _counted(report)
    subtest = type(report).__name__.lower() == "subtestreport"
    if now is None or (subtest and now != "failed"):
        return
    before = _ended.get(report.nodeid)
    if before is None or _worst[now] > _worst[before]:
        _ended[report.nodeid] = now


def pytest_collectreport(report: Any) -> None:
    if report.outcome != "passed":
        _outside[report.nodeid] = report.outcome


@pytest.hookimpl(hookwrapper=True)
def pytest_sessionfinish() -> Iterator[None]:
    yield
    with open(os.environ["ENDED"], "w", encoding="utf-8") as file:
        json.dump({"ended": _ended, "outside": _outside}, file)
