"""Which lines the project's rules exclude now, in versions recorded under other ones.

May import types, source and the store's values. Refuses to change what else is recorded.
"""

import re
from dataclasses import replace
from typing import NamedTuple

from whotests.source.rules import Rules
from whotests.source.text import decode
from whotests.store.values import FileVersion
from whotests.types import NO_LINES, LineBits

__all__ = ["under_rules"]


def under_rules(file: FileVersion, source: bytes, *, now: Rules, before: Rules) -> FileVersion:
    """The version of these bytes as it would have been recorded under the rules of now.

    Only what the rules change is: another Python may have recorded it, and parts that are not
    measured count as excluded whatever the rules. Raises LookupError when those of before are no
    regular expressions.
    """
    try:
        new, old = _applied(source, now, before)
    except re.error as error:
        raise LookupError(f"a run excluded lines by {error.pattern!r:.80}") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # This Python may not know its syntax.
        return file
    return replace(
        file,
        statements=LineBits(_changed(file.statements, new.statements, old.statements)),
        excluded=LineBits(_changed(file.excluded, new.excluded, old.excluded)),
        partial=new.partial,
    )


class _Lines(NamedTuple):
    statements: int
    excluded: int
    partial: LineBits


def _applied(source: bytes, *several: Rules) -> list[_Lines]:
    """What each of these rules makes of a text."""
    # Much to import, and seldom needed.
    from whotests.source.analysis import analyse
    from whotests.source.exclusions import matched_lines

    text = decode(source)
    expressions = {one for rules in several for one in (rules.exclude, rules.partial)}
    if not any(matched_lines(text, one) for one in expressions):
        return [_Lines(0, 0, NO_LINES) for _ in several]
    analyses = [
        analyse(
            source, "", text=text, rules=rules.exclude, partial_rules=rules.partial, branch=True
        )
        for rules in several
    ]
    return [_Lines(one.statements, one.excluded, one.partial) for one in analyses]


def _changed(bits: int, new: int, old: int) -> int:
    """The bits with what changed from the old ones to the new."""
    return bits & ~(old & ~new) | new & ~old
