"""docs/sql.md, followed as a reader would."""

from pathlib import Path

from docs_pages import Reader, blocks_of

PAGE = Path(__file__).parent.parent / "docs" / "sql.md"


def test_the_page_holds(tmp_path: Path) -> None:
    """Its project, recorded and asked, gives what the page shows."""
    reader = Reader(PAGE, tmp_path)
    followed = 0
    for block in blocks_of(PAGE):
        reader.follow(block)
        followed += 1
    assert followed > 10
