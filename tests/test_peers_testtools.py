"""What testtools 2.9.1 gets wrong, met by the same programs with it and with ours.

That it is wrong there is asserted, too: a version that does better would make these tests fail,
and belongs into the table of what differs.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NamedTuple

import pytest
import testtools
import testtools.testsuite

import peer_programs
import whotests.testing


class Defect(NamedTuple):
    """One program, and what an author sees of it."""

    program: Callable[[Any], str]
    theirs: str
    ours: str


DEFECTS = [
    Defect(peer_programs.async_test, "passed, ran: nothing", "1 failed, ran: body"),
    Defect(peer_programs.async_clean_up, "passed, ran: nothing", "1 failed, ran: clean-up"),
    Defect(peer_programs.coroutine_result, "passed, ran: nothing", "1 failed, ran: body"),
    Defect(peer_programs.generator_test, "passed, ran: nothing", "1 failed, ran: nothing"),
    Defect(peer_programs.future_result, "passed, ran: body", "1 failed, ran: body"),
    Defect(peer_programs.deferred_result, "passed, ran: body", "1 failed, ran: body"),
    Defect(peer_programs.failure_then_skip, "1 skipped, ran: body", "1 failed, ran: body"),
    Defect(peer_programs.multi_sub_test, "passed; passed", "1 failed; 1 failed"),
    Defect(peer_programs.threadsafe_sub_test, "no test", "1 failed"),
    Defect(peer_programs.concurrent_sub_test, "no test", "1 failed"),
    Defect(peer_programs.concurrent_suites, "TypeError", "2 failed"),
    Defect(peer_programs.concurrent_exit, "passed of 1", "1 failed of 2"),
    Defect(
        peer_programs.concurrent_broken_import,
        "no test, successful: True",
        "refused: UsageError",
    ),
    Defect(peer_programs.unknown_ids, "no test, successful: True", "refused: UsageError"),
    Defect(peer_programs.listed_broken_import, "1 tests, 0 errors", "0 tests, 1 errors"),
    Defect(peer_programs.sorted_empty_suites, "TypeError", "1 test"),
    Defect(peer_programs.fixture_that_fails, "the run ended: no test", "1 failed"),
    Defect(peer_programs.summary_of_unexpected_success, "successful: True", "successful: False"),
    Defect(peer_programs.empty_attachment, "[]", "['log']"),
    Defect(peer_programs.chunk_after_the_end, "whole and more", "whole"),
    Defect(peer_programs.tagger_and_its_caller, "slow worker-1", "slow"),
    Defect(peer_programs.router_rule_while_running, "started", "left alone"),
    Defect(
        peer_programs.router_sink_of_two_rules,
        "started started stopped stopped",
        "started stopped",
    ),
]

each_defect = pytest.mark.parametrize(
    "defect", DEFECTS, ids=[defect.program.__name__ for defect in DEFECTS]
)


@each_defect
@pytest.mark.skipif(version("testtools") != "2.9.1", reason="the table is of testtools 2.9.1")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_testtools_has_the_defect(defect: Defect) -> None:
    """The program meets in testtools 2.9.1 what the table says."""
    assert defect.program(testtools) == defect.theirs


@each_defect
def test_ours_gives_the_right_verdict(defect: Defect) -> None:
    """The same program, with ours in testtools' place, gets what its author needs."""
    assert defect.program(whotests.testing) == defect.ours


def test_every_program_is_in_the_table() -> None:
    """No program is left out."""
    assert {defect.program.__name__ for defect in DEFECTS} == set(peer_programs.__all__)
