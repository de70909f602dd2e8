"""What the compiler warns of, kept from the program that is measured. (PYTEST_DONT_REWRITE)"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["kept_warnings"]


@contextmanager
def kept_warnings() -> Iterator[list[tuple[str, str, int]]]:
    """Whatever is warned of inside goes to the list that this gives, and nowhere else.

    As category's name, text and line. `warnings.catch_warnings` would make Python forget which
    warnings the program has had already, and show them again.
    """
    kept: list[tuple[str, str, int]] = []

    def keep(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any
    ) -> None:
        kept.append((category.__name__, str(message), lineno))

    filters, show = warnings.filters, warnings.showwarning
    warnings.filters = [("always", None, Warning, None, 0)]
    warnings.showwarning = keep  # type: ignore[assignment]
    try:
        yield kept
    finally:
        warnings.filters = filters
        warnings.showwarning = show
