"""The page on formats holds: its commands give what it shows, and it lists every format."""

from pathlib import Path

from docs_pages import Reader, blocks_of
from whotests.formats.registry import FORMATS, format_named

PAGE = Path(__file__).parent.parent / "docs" / "formats.md"


def test_the_page_holds(tmp_path: Path) -> None:
    """Files and commands of the page, followed in order, give what it shows."""
    reader = Reader(PAGE, tmp_path)
    blocks = list(blocks_of(PAGE))
    for block in blocks:
        reader.follow(block)
    assert len(blocks) >= 5


def test_the_page_lists_every_format() -> None:
    """Each format is in the table, with its default file and whether it is written and read."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "|" in line]
    for name in FORMATS:
        made = format_named(name)
        (row,) = [line for line in rows if line.startswith(f"| `{name}` |")]
        cells = [cell.strip() for cell in row.split("|")]
        assert cells[3] == f"`{made.file_name}`"
        assert cells[4:6] == ["yes" if made.write else "no", "yes" if made.read else "no"]
