"""How the data says that tests ended, by what was told of them."""

from datetime import UTC, datetime

import pytest

from whotests.recording.verdicts import Verdicts
from whotests.stream.event import Chunk, Event, Status
from whotests.types import Outcome

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("began", "attached", "outcome"),
    [
        (True, "traceback", Outcome.FAILED),
        (True, "reason", Outcome.ERROR),
        (False, "traceback", Outcome.FAILED),
        (False, "reason", Outcome.UNKNOWN),
    ],
)
def test_what_failed_and_never_began_has_not_ended(
    *, began: bool, attached: str, outcome: Outcome
) -> None:
    """A test that the runner failed before it began, as no worker was left, is one that did not
    end: it is run again by --failed, and makes no test flaky."""
    verdicts = Verdicts()
    if began:
        verdicts.handle(Event("test", Status.INPROGRESS, timestamp=NOON))
    chunk = Chunk(attached, b"why", "text/plain", eof=True)
    verdicts.handle(Event("test", Status.FAIL, attachment=chunk, timestamp=NOON))
    assert verdicts.of["test"].outcome is outcome
