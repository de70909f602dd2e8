"""docs/history.md, followed as a reader would."""

from pathlib import Path

from docs_pages import Reader, blocks_of

PAGE = Path(__file__).parent.parent / "docs" / "history.md"


def test_the_page_holds(tmp_path: Path) -> None:
    """Its files and commands, followed in order, give what it shows."""
    reader = Reader(PAGE, tmp_path)
    blocks = list(blocks_of(PAGE))
    assert len(blocks) == 5
    for block in blocks:
        reader.follow(block)
