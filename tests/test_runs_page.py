"""The chapter on runs of the page on the data holds."""

from pathlib import Path

from docs_pages import Reader, blocks_of

PAGE = Path(__file__).parent.parent / "docs" / "data.md"


def test_the_chapter_holds(tmp_path: Path) -> None:
    """Its files and commands, followed in order, give what it shows."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    first = lines.index("## Runs side by side")
    after = [number for number, line in enumerate(lines) if line.startswith("## ")]
    last = min([number for number in after if number > first], default=len(lines))
    reader = Reader(PAGE, tmp_path)
    blocks = [block for block in blocks_of(PAGE) if first < block.line <= last]
    for block in blocks:
        reader.follow(block)
    assert len(blocks) == 6
