"""Tracebacks and stacks as details."""

import traceback
from collections.abc import Iterator
from types import FrameType, TracebackType

from whotests.testing.details.content import Content
from whotests.testing.details.content_types import ContentType

__all__ = [
    "ExcInfo",
    "OptExcInfo",
    "StackLinesContent",
    "StacktraceContent",
    "TracebackContent",
    "without_internal",
]

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
OptExcInfo = ExcInfo | tuple[None, None, None]
INTERNAL = "__unittest"
"""A module that has a global of this name is a test framework's own, by unittest's custom."""


def _traceback_type() -> ContentType:
    return ContentType("text", "x-traceback", {"language": "python", "charset": "utf8"})


def without_internal(tb: TracebackType | None) -> TracebackType | None:
    """A traceback from the author's first frame to the author's last one.

    Of one that has test frameworks' frames only, the last is left.
    """
    kept: list[TracebackType] = []
    while tb is not None:
        if kept or tb.tb_next is None or INTERNAL not in tb.tb_frame.f_globals:
            kept.append(tb)
        tb = tb.tb_next
    while len(kept) > 1 and INTERNAL in kept[-1].tb_frame.f_globals:
        kept.pop()
    cut: TracebackType | None = None
    for each in reversed(kept):
        cut = TracebackType(cut, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return cut


class StackLinesContent(Content):
    """The frames of a stack, as `traceback.extract_stack` and `extract_tb` give them."""

    HIDE_INTERNAL_STACK = True
    """Whether frames of test frameworks are left out, in tracebacks as well."""

    def __init__(
        self,
        stack_lines: list[traceback.FrameSummary],
        prefix_content: str = "",
        postfix_content: str = "",
    ) -> None:
        lines = "".join(traceback.format_list(stack_lines))
        data = f"{prefix_content}{lines}{postfix_content}".encode()
        super().__init__(_traceback_type(), lambda: [data])


class TracebackContent(Content):
    """An exception's traceback, without the frames of test frameworks around the author's."""

    def __init__(self, err: OptExcInfo, test: object = None, capture_locals: bool = False) -> None:
        """`err` is what `sys.exc_info` gives; ValueError without an exception.

        With `capture_locals` the variables of each frame are shown. Nothing depends on `test`.
        """
        if err is None or err[0] is None:
            raise ValueError("err may not be None")
        kind, value, tb = err
        if StackLinesContent.HIDE_INTERNAL_STACK:
            tb = without_internal(tb)
        told = traceback.TracebackException(kind, value, tb, capture_locals=capture_locals)
        texts: list[bytes] = []

        def text() -> list[bytes]:
            if not texts:
                # Lone surrogates, as file names have them, must not hide the failure.
                texts.append("".join(told.format()).encode("utf8", "backslashreplace"))
            return texts

        super().__init__(_traceback_type(), text)


def StacktraceContent(prefix_content: str = "", postfix_content: str = "") -> Content:
    """The stack of the caller, outermost frame first; text around it, if any is given."""

    def frames() -> Iterator[tuple[FrameType, int]]:
        walk = traceback.walk_stack(None)
        for frame, line in walk:
            if frame.f_globals is globals() or frame.f_globals is vars(traceback):
                continue
            if StackLinesContent.HIDE_INTERNAL_STACK and INTERNAL in frame.f_globals:
                return
            yield frame, line

    stack = traceback.StackSummary.extract(frames())
    stack.reverse()
    return StackLinesContent(stack, prefix_content, postfix_content)
