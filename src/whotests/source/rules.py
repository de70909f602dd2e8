"""What counts in a run: regular expressions that exclude lines and excuse branches.

Apart from what applies them: a measured process mostly only hands them on.
"""

from typing import Final, NamedTuple

from whotests.source.digests import blake2b

__all__ = ["ALWAYS_PARTIAL", "DEFAULT_EXCLUDE", "DEFAULT_PARTIAL", "Rules", "in_force"]

DEFAULT_EXCLUDE: Final = (
    r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(cover|COVER)",
    r"^\s*(((async )?def .*?)?[\])]+(\s*->.*?)?:\s*)?\.\.\.\s*(#|$)",
    r"^\s*if (typing\.)?TYPE_CHECKING:",
)
"""coverage.py 7.17's: the pragma, a body of `...`, and imports for type checkers."""

DEFAULT_PARTIAL: Final = (r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(branch|BRANCH)",)
"""The pragma: what a project's own rules replace."""

ALWAYS_PARTIAL: Final = (r"^\s*while (True|1|False|0):", r"^\s*if (True|1|False|0):")
"""Tests of constants, which go one way only: in force beside whatever rules a project has."""


class Rules(NamedTuple):
    """Whether branches count, and all the expressions in force."""

    branch: bool = False
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    partial: tuple[str, ...] = DEFAULT_PARTIAL + ALWAYS_PARTIAL

    @property
    def key(self) -> str:
        """Short text that tells different rules apart; '' for the ordinary ones."""
        if self == Rules():
            return ""
        text = repr((self.branch, self.exclude, self.partial))
        return blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def in_force(
    *,
    exclude_lines: tuple[str, ...] | None,
    exclude_also: tuple[str, ...],
    partial_branches: tuple[str, ...] | None,
    partial_also: tuple[str, ...],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All expressions that exclude lines, and all that excuse branches, under these settings.

    None stands for the usual ones.
    """
    exclude = DEFAULT_EXCLUDE if exclude_lines is None else exclude_lines
    partial = DEFAULT_PARTIAL if partial_branches is None else partial_branches
    return exclude + exclude_also, partial + partial_also + ALWAYS_PARTIAL
