"""Text as a data file has it.

May import the standard library only.
"""

__all__ = ["stored_text"]


def stored_text(text: str) -> str:
    r"""The text; what UTF-8 does not have, as in names of files that cannot be decoded, as
    `\udcff`."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
