"""What is reported for a test, on its way from the case to the result."""

import itertools
from typing import Any

from whotests.testing.details.content import Content
from whotests.testing.details.detail_text import details_text
from whotests.testing.details.traceback_content import ExcInfo

__all__ = ["ReportedDetails", "gather_details", "unique_name"]


class ReportedDetails(dict[str, Content]):
    """Details of a test, and the exception that its outcome is about.

    Results that take no details get that exception: with its own traceback, and with all
    other details as notes.
    """

    __slots__ = ("exc_info", "tracebacks")

    exc_info: ExcInfo | None
    tracebacks: dict[int, str]
    """Names of the details that have an exception's traceback, by the exception's identity."""

    def __init__(self) -> None:
        self.exc_info = None
        self.tracebacks = {}

    def as_exception(self) -> ExcInfo | None:
        """The exception, with other details as a note; None if it is about none."""
        if self.exc_info is not None and (note := self.others_text()):
            raised = self.exc_info[1]
            if note not in getattr(raised, "__notes__", ()):
                raised.add_note(note)
        return self.exc_info

    def others_text(self) -> str:
        """All details but the traceback of the exception, as text."""
        own = None if self.exc_info is None else self.tracebacks.get(id(self.exc_info[1]))
        return details_text({name: content for name, content in self.items() if name != own})


def unique_name(name: str, taken: Any) -> str:
    """`name`, or the first of name-1, name-2, … that is not in `taken`."""
    if name not in taken:
        return name
    numbered = (f"{name}-{number}" for number in itertools.count(1))
    return next(other for other in numbered if other not in taken)


def gather_details(source_dict: dict[str, Content], target_dict: dict[str, Content]) -> None:
    """Copy details, read now, into others, under names that are free there.

    What they are made from may be gone by the time that the test is reported.
    """
    for name, content in source_dict.items():
        pieces = list(content.iter_bytes())
        copied = Content(content.content_type, lambda pieces=pieces: pieces)  # type: ignore[misc]
        target_dict[unique_name(name, target_dict)] = copied
