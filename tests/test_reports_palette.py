"""Styled text, and what foreign programs print, as they are shown."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.live import Live

from whotests.reports.palette import Palette


def palette(*, colours: bool, no_color: bool = False) -> Palette:
    return Palette(
        Console(
            file=io.StringIO(),
            force_terminal=colours,
            color_system="standard" if colours else None,
            no_color=no_color,
        )
    )


def test_paint() -> None:
    """Each line is styled by itself; where there are no colours, text stays as it is."""
    assert palette(colours=True).paint("a\n\nb", "red") == "\x1b[31ma\x1b[0m\n\n\x1b[31mb\x1b[0m"
    assert palette(colours=True).paint("a", "") == "a"
    assert palette(colours=False).paint("a\nb", "red") == "a\nb"


def test_no_color() -> None:
    """NO_COLOR leaves bold text, and no colour."""
    painted = palette(colours=True, no_color=True).paint("a", "bold red")
    assert painted == "\x1b[1ma\x1b[0m"


def test_what_is_painted_on_the_console_meanwhile_is_no_style() -> None:
    """A style that is asked for first while a live display is on is the style alone."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard")
    painted = Palette(console)
    with Live("below", console=console, auto_refresh=False):
        assert painted.paint("a", "red") == "\x1b[31ma\x1b[0m"


def test_foreign_colours_stay() -> None:
    """What a program coloured is shown so, and ends at its end; nothing else gets through."""
    text = "\x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07bell\x07 \x1b[5Aup\r\nnext\rline\ttab\x1b(B"
    shown = palette(colours=True).foreign(text)
    assert shown == "\x1b[31mred\x1b[0m bell\\x07 up\nnext\nline\ttab\x1b[0m"
    assert palette(colours=False).foreign(text) == "red bell\\x07 up\nnext\nline\ttab"


@given(st.text(st.sampled_from("\x1b[]0;1mJA\x07\\x\n\r\t\x9b\u202eé")))
def test_nothing_foreign_steers_a_terminal(text: str) -> None:
    """Of all controls, only colours, new lines and tabs come through."""
    assert all(
        char.isprintable() or char in "\n\t" for char in palette(colours=False).foreign(text)
    )
    shown = palette(colours=True).foreign(text)
    for piece in shown.split("\x1b")[1:]:
        assert piece[0] == "["
        assert piece[1:].lstrip("0123456789;:")[0] == "m"
