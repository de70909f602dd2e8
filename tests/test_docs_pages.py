"""Every example in the pages for authors of tests and for framework folk runs as it stands."""

from pathlib import Path

import pytest

from docs_pages import Reader, blocks_of, matches

DOCS = Path(__file__).parent.parent / "docs"

PAGES = ("testing.md", "streams.md", "running.md")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.filterwarnings("default")
def test_a_page_holds(name: str, tmp_path: Path) -> None:
    """Files, sessions and commands of the page, followed in order, give what it shows."""
    page = DOCS / name
    reader = Reader(page, tmp_path)
    followed = 0
    for block in blocks_of(page):
        reader.follow(block)
        followed += 1
    assert followed > 10


def test_a_wrong_page_is_found(tmp_path: Path) -> None:
    """An output that differs is told with the page's line, what it says and what came."""
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n```pycon\n>>> 1 + 1\n3\n```\n\n```console\n$ echo yes\nno\n```\n")
    session, commands = blocks_of(page)
    reader = Reader(page, tmp_path)
    with pytest.raises(AssertionError, match=r"(?s)line 4.*Expected:\n    3\nGot:\n    2"):
        reader.follow(session)
    with pytest.raises(AssertionError, match=r"page.md:9: \$ echo yes\n--- the page\nno"):
        reader.follow(commands)


def test_blocks_of_a_page_go_on_from_each_other(tmp_path: Path) -> None:
    """Names, files and the folder stay from block to block."""
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nfirst = 1\n```\n"
        "```pycon\n>>> second = first + 1\n>>> second\n2\n```\n"
        "```python\n# two.py\nprint('two')\n```\n"
        "```console\n$ python two.py\ntwo\n```\n"
        "```text\nnot run\n```\n"
    )
    reader = Reader(page, tmp_path)
    for block in blocks_of(page):
        reader.follow(block)
    assert reader.names["second"] == 2


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "a\nb\n", False),
        ("a … c\n", "a b c\n", True),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nd\n", True),
        ("a\n…\n", "b\n", False),
        ("", "", True),
    ],
)
def test_an_ellipsis_stands_for_anything(expected: str, got: str, same: bool) -> None:
    """Within a line for any text, alone on a line for any lines."""
    assert matches(expected, got) is same
