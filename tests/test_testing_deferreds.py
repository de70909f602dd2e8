"""Deferreds and coroutines under Twisted's reactors: each combination, in a process of its own."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

REACTORS = ("default", "select", "asyncio")


@cache
def told(reactor: str) -> dict[str, Any]:
    """What came of the test cases of `deferred_cases` on this reactor."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", Path(__file__).with_name("deferred_cases.py"), reactor],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def outcomes(reactor: str, case: str) -> dict[str, str]:
    return {name: outcome for name, (outcome, _) in told(reactor)[case].items()}


def text_of(reactor: str, case: str, name: str) -> str:
    return str(told(reactor)[case][name][1])


on_each_reactor = pytest.mark.parametrize("reactor", REACTORS)


def test_the_reactors_are_three() -> None:
    """The processes really run on the reactors that they are asked for."""
    names = [told(reactor)["reactor"] for reactor in REACTORS]
    assert len(set(names)) == 3
    assert names[1:] == ["SelectReactor", "AsyncioSelectorReactor"]


@on_each_reactor
def test_deferreds_are_waited_for(reactor: str) -> None:
    """What a returned Deferred fires with is the outcome of the test."""
    assert outcomes(reactor, "Deferreds") == {
        "fired": "passed",
        "fails_at_once": "error",
        "later": "passed",
        "fails_later": "error",
        "assertion_later": "failed",
        "skips_later": "skipped",
        "inline": "passed",
        "generator": "error",
        "thread": "passed",
        "process": "passed",
        "stopped": "error",
        "stopped_and_on": "passed",
    }
    assert "KeyError: 'deliberate'" in text_of(reactor, "Deferreds", "fails_later")
    assert "in fire" in text_of(reactor, "Deferreds", "fails_later")
    assert "inlineCallbacks" in text_of(reactor, "Deferreds", "generator")
    assert "the reactor was stopped" in text_of(reactor, "Deferreds", "stopped")


@on_each_reactor
def test_coroutines_await_what_they_like(reactor: str) -> None:
    """asyncio's futures and Deferreds are awaited in one coroutine, whatever the reactor."""
    found = outcomes(reactor, "Coroutines")
    assert found.pop("fails") == "error"
    assert found.pop("returned") == "error"
    assert set(found.values()) == {"passed"}, told(reactor)["Coroutines"]
    assert len(found) == 9
    text = text_of(reactor, "Coroutines", "fails")
    assert "KeyError: 'deliberate'" in text
    assert "whotests/testing" not in text
    assert "was awaited and gave <Deferred" in text_of(reactor, "Coroutines", "returned")


@on_each_reactor
def test_coroutines_and_deferreds_take_turns(reactor: str) -> None:
    """A case may have an async setUp, and a test that returns a Deferred."""
    assert outcomes(reactor, "Mixed") == {"it": "passed", "fails": "error"}


@on_each_reactor
def test_deferreds_that_never_fire_end(reactor: str) -> None:
    """Limits end what waits for a Deferred, and what blocks the reactor; it runs on after that."""
    assert outcomes(reactor, "Limits") == {
        "never": "error",
        "never_awaited": "error",
        "blocked": "error",
        "on": "passed",
    }
    for name in ("never", "never_awaited", "blocked"):
        text = text_of(reactor, "Limits", name)
        assert f"test_{name} took longer than 0.05 s and was stopped" in text
        assert "CancelledError" not in text
        assert "logged during the test" not in text


@on_each_reactor
def test_what_is_left_in_the_reactor(reactor: str) -> None:
    """Delayed calls, ports and busy threads are named, ended, and fail the test."""
    assert outcomes(reactor, "Left") == {
        "call": "failed",
        "port": "failed",
        "from_coroutine": "failed",
        "allowed": "passed",
        "closed": "passed",
        "soon": "passed",
        "thread": "failed",
        "zz_nothing": "passed",
    }
    assert "delayed call of str, due in " in text_of(reactor, "Left", "call")
    assert "in the reactor: <" in text_of(reactor, "Left", "port")
    assert "1 thread that works in the reactor's thread pool" in text_of(reactor, "Left", "thread")
    for name in ("call", "port", "from_coroutine", "thread"):
        assert text_of(reactor, "Left", name).count("\n  ") == 1


@on_each_reactor
def test_failures_in_twisted_s_log(reactor: str) -> None:
    """They fail the test, through the old log and the new one, unless they are flushed."""
    assert outcomes(reactor, "Logged") == {
        "err": "failed",
        "logger": "failed",
        "unhandled": "failed",
        "raised_unhandled": "failed",
        "flushed": "passed",
    }
    assert "Twisted: why\n" in text_of(reactor, "Logged", "err")
    assert "Twisted: why not\n" in text_of(reactor, "Logged", "logger")


@on_each_reactor
def test_assertions_about_deferreds(reactor: str) -> None:
    """assertFailure, successResultOf, failureResultOf and assertNoResult do as trial's do."""
    assert outcomes(reactor, "Asserted") == {
        "failure": "passed",
        "no_failure": "failed",
        "other_failure": "failed",
        "results": "passed",
        "cancelled": "passed",
        "no_result": "failed",
        "a_result": "failed",
    }
