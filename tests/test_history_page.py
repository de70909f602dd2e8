"""docs/history.md: what it shows is what happens."""

from pathlib import Path

import pytest

from docs_pages import Reader, blocks_of
from test_docs_pages import DOCS


@pytest.mark.filterwarnings("default")
def test_the_page_holds(tmp_path: Path) -> None:
    """Its files and commands, followed in order, give what it shows."""
    page = DOCS / "history.md"
    reader = Reader(page, tmp_path)
    blocks = list(blocks_of(page))
    assert len(blocks) == 5
    for block in blocks:
        reader.follow(block)
