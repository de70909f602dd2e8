"""Runs `whotests test`, and says which tests it ran."""

import re
from pathlib import Path

from measured_commands import Ended, run_plain

__all__ = ["WITHOUT_PLUGINS", "ran", "whotests_test"]

WITHOUT_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Variables with which each process of pytest takes half the time."""


def whotests_test(folder: Path, *words: str, status: int, measure: bool = False) -> Ended:
    """`whotests test` with one worker, and how it ended: with this exit status."""
    usual = () if measure else ("--no-measure",)
    jobs = () if any(word.startswith("-j") for word in words) else ("-j1",)
    done = run_plain("whotests", "test", *usual, *jobs, *words, cwd=folder, env=WITHOUT_PLUGINS)
    assert done.status == status, done.out + done.err
    return done


def ran(done: Ended) -> list[str]:
    """Ids of the tests in the order of their ends, as -v lists them."""
    return re.findall(r"^(?:passed|failed)  (\S+)  [\d.]+ s", done.out, re.MULTILINE)
