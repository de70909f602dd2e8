"""The regular expressions that exclude lines and excuse branches unless a project says otherwise.

They are coverage.py 7.17's. Apart from what applies them: a measured process only hands them on.
"""

from typing import Final

__all__ = ["ALWAYS_PARTIAL", "DEFAULT_EXCLUDE", "DEFAULT_PARTIAL"]

DEFAULT_EXCLUDE: Final = (
    r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(cover|COVER)",
    r"^\s*(((async )?def .*?)?[\])]+(\s*->.*?)?:\s*)?\.\.\.\s*(#|$)",
    r"^\s*if (typing\.)?TYPE_CHECKING:",
)
"""The pragma, a body of `...`, and imports for type checkers."""

DEFAULT_PARTIAL: Final = (r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(branch|BRANCH)",)
"""The pragma: what a project's own rules replace."""

ALWAYS_PARTIAL: Final = (r"^\s*while (True|1|False|0):", r"^\s*if (True|1|False|0):")
"""Tests of constants, which go one way only: in force beside whatever rules a project has."""
