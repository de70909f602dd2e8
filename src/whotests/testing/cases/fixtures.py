"""Fixtures: whatever has setUp and cleanUp, with details or without."""

from typing import Any, TypeVar

from whotests.testing.cases.runtest import is_of_several
from whotests.testing.details.content import Content
from whotests.testing.details.reported import gather_details

__all__ = ["gather_of_setup_error", "use_fixture"]

__unittest = True

_Fixture = TypeVar("_Fixture")


def use_fixture(case: Any, fixture: _Fixture) -> _Fixture:
    """Set up a fixture for a test, to be cleaned up after it; its details become the test's.

    If setting it up fails, the details are gathered as far as they are there.
    """
    used: Any = fixture
    for name in ("setUp", "cleanUp"):
        if not callable(getattr(used, name, None)):
            raise TypeError(
                f"useFixture got {fixture!r}, which has no {name}(): a fixture has setUp() and "
                "cleanUp()"
            )
    try:
        used.setUp()
    except BaseException as raised:
        if is_of_several(raised):
            gather_of_setup_error(raised, case.getDetails())
            raise
        try:
            _gather(case, used)
        except BaseException:
            case._report_traceback((type(raised), raised, raised.__traceback__))
            raise
        raise
    case.addCleanup(used.cleanUp)
    case.addCleanup(_gather, case, used)
    return fixture


def _gather(case: Any, fixture: Any) -> None:
    if getattr(fixture, "_details", True) is None:
        return  # one of the package `fixtures`, which cleaned up after itself
    get_details = getattr(fixture, "getDetails", None)
    details = get_details() if get_details is not None else None
    if details:
        gather_details(details, case.getDetails())


def gather_of_setup_error(raised: BaseException, target: dict[str, Content]) -> None:
    """Fixtures that undo a failed setUp put their details into the last of several exceptions."""
    last = raised.args[-1][1] if raised.args else None
    details = last.args[0] if last is not None and last.args else None
    if type(last).__name__ == "SetupError" and isinstance(details, dict):
        gather_details(details, target)
