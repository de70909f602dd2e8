"""Styled text for a stream, made once: what is printed per test has to cost next to nothing.

May import rich. Refuses to know what the words mean.
"""

import re
from functools import cache
from io import StringIO
from typing import Final

from rich.console import Console

__all__ = ["Palette"]

_SAMPLE: Final = "x"

_COLOUR: Final = re.compile(r"\x1b\[[0-9;:]*m")
_STEERING: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x1b\x07]*(?:\x1b\\|\x07)?|[ -/]*[0-~])"
)
"""ECMA-48's sequences: control sequences, strings of an operating system's command or device,
and the short ones."""


class Palette:
    """Paints text for one console; where that has no colours, text stays as it is."""

    def __init__(self, console: Console) -> None:
        self.coloured = console.color_system is not None and not console.no_color
        # A console of its own: whatever is printed on the given one may paint more than that.
        self._console = Console(
            file=StringIO(),
            force_terminal=console.color_system is not None,
            color_system=console.color_system,  # type: ignore[arg-type]
            no_color=console.no_color,
            width=80,
        )
        self._around = cache(self._find)

    def paint(self, text: str, style: str) -> str:
        """The text in a style of rich's, such as 'bold red'. Each line is styled by itself."""
        if not style or not text:
            return text
        before, after = self._around(style)
        if not before:
            return text
        return "\n".join(f"{before}{line}{after}" if line else line for line in text.split("\n"))

    def foreign(self, text: str) -> str:
        """What a program printed, as it can be shown: with its colours where there are some,
        and without all else that steers a terminal."""
        if text.isprintable():
            return text
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        colours = self.coloured and "\x1b" in text
        if colours:
            pieces = re.split(f"({_COLOUR.pattern})", text)
            pieces[::2] = map(_harmless, pieces[::2])
            return "".join(pieces) + "\x1b[0m"
        return _harmless(text)

    def _find(self, style: str) -> tuple[str, str]:
        with self._console.capture() as capture:
            self._console.print(_SAMPLE, style=style, end="")
        before, _, after = capture.get().partition(_SAMPLE)
        return before, after


def _harmless(text: str) -> str:
    """The text without sequences that steer a terminal, and with escapes for other controls."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in _STEERING.sub("", text)
    )
