"""Which lines the project's rules exclude now, in versions recorded under other ones.

May import types, source and the store's values. Refuses to change what else is recorded.
"""

from dataclasses import replace

from whotests.source.rules import Rules
from whotests.source.text import decode
from whotests.store.values import FileVersion
from whotests.types import NO_LINES, LineBits

__all__ = ["under_rules"]


def under_rules(file: FileVersion, source: bytes, *, now: Rules, before: Rules) -> FileVersion:
    """The version of these bytes as it would have been recorded under the rules of now."""
    try:
        excluded, partial = _applied(now, source)
        if file.reason:
            # Parts that are not measured count as excluded whatever the rules.
            was_excluded, _ = _applied(before, source)
            excluded = LineBits(excluded | file.excluded & ~was_excluded)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Another Python than the one that recorded it may not know its syntax.
        return file
    return replace(file, excluded=excluded, partial=partial)


def _applied(rules: Rules, source: bytes) -> tuple[LineBits, LineBits]:
    """The excluded and the partial lines."""
    # Much to import, and seldom needed.
    from whotests.source.analysis import analyse
    from whotests.source.exclusions import matched_lines

    text = decode(source)
    if not matched_lines(text, rules.exclude) and not matched_lines(text, rules.partial):
        return NO_LINES, NO_LINES
    analysis = analyse(
        source, "", text=text, rules=rules.exclude, partial_rules=rules.partial, branch=True
    )
    return analysis.excluded, analysis.partial
