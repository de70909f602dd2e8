"""Regular expressions that settings give, checked before anything is done with them."""

import re
from collections.abc import Iterable

from whotests.errors import UsageError

__all__ = ["checked", "checked_rules"]


def checked(patterns: Iterable[str], *, where: str) -> tuple[str, ...]:
    """The expressions without white space around them; empty ones are left out.

    `where` is how a message begins: the file and the key. Raises `UsageError` for an
    expression that is none.
    """
    kept = tuple(filter(None, map(str.strip, patterns)))
    for pattern in kept:
        try:
            re.compile(pattern, re.MULTILINE)
        except re.error as error:
            place = "" if error.pos is None else f" at position {error.pos}"
            raise UsageError(
                f"{where} has an invalid regular expression, {pattern!r}: "
                f"{error.msg}{place}; correct it"
            ) from error
    return kept


def checked_rules(
    instead: tuple[str, ...] | None, more: tuple[str, ...], *, where: tuple[str, str], alone: bool
) -> None:
    """Raises `UsageError` where the expressions cannot be alternatives of one.

    `instead` (None: the usual ones) and `more` come from the two keys in `where`; with
    `alone`, a single expression has no other beside it, so it may begin with flags.
    """
    patterns = (instead or ()) + more
    if alone and instead is not None and len(patterns) == 1:
        return
    for pattern in patterns:
        try:
            re.compile(f"x|(?:{pattern})", re.MULTILINE)
        except re.error as error:
            raise UsageError(
                f"{where[pattern in more]} has the regular expression {pattern!r}, which cannot "
                f"stand beside others ({error.msg}); write flags as in '(?i:...)'"
            ) from error
    try:
        re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    except re.error as error:
        raise UsageError(
            f"{where[0]} and {where[1].partition(': ')[2]} have regular expressions that cannot "
            f"stand beside each other ({error.msg}); give each group a name of its own"
        ) from error
