"""On which line the `def` or `class` of a unit stands, below its decorators.

May import query and the store's values. Refuses to parse: the text is enough.
"""

from collections.abc import Mapping

from whotests.query.sources import SourceText
from whotests.store.values import Unit

__all__ = ["DefinitionLines"]


class DefinitionLines:
    """Finds them in one version of a file."""

    def __init__(self, text: SourceText | None) -> None:
        """`text` is None when the disk does not have this version any more."""
        self._text = text
        self._first_lines: Mapping[int, int] | None = None

    def of(self, unit: Unit) -> int:
        """The line of the `def` or `class`; that of the first decorator if there is no text."""
        text = self._text
        if text is None or not text.line(unit.first_line).lstrip().startswith("@"):
            return unit.first_line
        if self._first_lines is None:
            self._first_lines = text.first_lines()
        for line in range(unit.first_line, unit.last_line + 1):
            words = text.line(line).lstrip()
            if words and words[0] not in "@#" and line not in self._first_lines:
                return line
        return unit.first_line
