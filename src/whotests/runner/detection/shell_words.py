"""What a shell makes of the variables in a line of settings."""

import re
from collections.abc import Mapping

__all__ = ["expanded"]

VARIABLE = re.compile(
    r"\$(?:(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<braced>[A-Za-z_]\w*)(?:(?P<empty_too>:)?-(?P<instead>[^{}]*))?\})"
)
"""`$NAME`, `${NAME}`, `${NAME-instead}` and `${NAME:-instead}`."""


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """The text with these variables filled in; one that is not set is empty, as in a shell.

    Other expansions of a shell, such as commands, stay as they are written.
    """

    def value(found: re.Match[str]) -> str:
        said = variables.get(found["plain"] or found["braced"])
        if said is None or (found["empty_too"] and not said):
            return found["instead"] or ""
        return said

    return VARIABLE.sub(value, text)
