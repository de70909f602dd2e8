"""One test that failed, as people read it: what it attached, the traceback last.

May import the stream. Refuses to keep anything.
"""

import re
from textwrap import indent
from typing import Final

from whotests.reports.palette import Palette
from whotests.reports.words import count, size
from whotests.stream.attachment import Attachment
from whotests.stream.collection import TestRecord
from whotests.stream.readable import one_line

__all__ = ["failure_text"]

_LINES: Final = 400
"""Of one attachment. Python itself shows the same frame three times only."""
_LONGEST: Final = 2_000
"""Characters of one line."""

_FRAME: Final = re.compile(r'\s+File "')
_ERROR_LINE: Final = re.compile(r"^E( .*)?$", re.MULTILINE)
"""As pytest marks what is wrong."""


def failure_text(record: TestRecord, palette: Palette) -> str:
    """What stands below the line of a test that failed: '' or whole lines.

    Output stands before tracebacks. Of long text the end is shown, and how much is left out; of
    what is not text, its type and size.
    """
    order = sorted(record.attachments, key=_is_traceback)
    parts = [_attachment(name, record.attachments[name], palette) for name in order]
    parts += [palette.paint(note, "dim") + "\n" for note in record.notes]
    if not parts:
        return ""
    return indent("".join(parts), "  ") + "\n"


def _attachment(name: str, attachment: Attachment, palette: Palette) -> str:
    title = one_line(name)
    if not attachment.is_text:
        length = sum(map(len, attachment.chunks))
        return f"{palette.paint(title, 'dim')} ({attachment.content_type}): {size(length)}\n"
    text = palette.foreign(attachment.as_text().rstrip())
    if not text:
        return ""
    lines = text.split("\n")
    left_out = ""
    if len(lines) > _LINES:
        left_out = f"({count(len(lines) - _LINES, 'line')} before these: --json has them)\n"
        lines = lines[-_LINES:]
    lines = [line if len(line) <= _LONGEST else _shortened(line) for line in lines]
    if _is_traceback(name):
        lines = _marked(lines, palette)
    elif len(lines) == 1:
        return f"{palette.paint(title + ':', 'dim')} {lines[0]}\n"
    body = indent(left_out + "\n".join(lines) + "\n", "  ")
    return palette.paint(f"{title}:", "dim") + f"\n{body}"


def _shortened(line: str) -> str:
    return f"{line[:_LONGEST]}… ({len(line) - _LONGEST:,} characters more)"


def _marked(lines: list[str], palette: Palette) -> list[str]:
    """A traceback with what went wrong in red: lines that pytest marks, else what stands below
    the last frame."""
    if "\x1b" in "".join(lines):
        return lines  # it has colours of its own
    if any(_ERROR_LINE.match(line) for line in lines):
        return [palette.paint(line, "red") if _ERROR_LINE.match(line) else line for line in lines]
    last = max((place for place, line in enumerate(lines) if _FRAME.match(line)), default=-1)
    for place in range(last + 1, len(lines)):
        if lines[place] and not lines[place][0].isspace():
            return [*lines[:place], *(palette.paint(line, "red") for line in lines[place:])]
    return lines


def _is_traceback(name: str) -> bool:
    return name.startswith("traceback")
