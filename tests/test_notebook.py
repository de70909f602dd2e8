"""docs/five-questions.ipynb runs as it stands, and answers what it shows."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

NEEDED = ("ipykernel", "jsonschema", "matplotlib", "nbclient", "pandas")

needs_group = pytest.mark.skipif(
    any(find_spec(name) is None for name in NEEDED), reason="the group `notebook` is not installed"
)

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "docs" / "five-questions.ipynb"

Cells = list[dict[str, Any]]


def cells_of(path: Path) -> Cells:
    """The cells with code."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def said(cell: dict[str, Any]) -> list[str]:
    """What a cell prints and shows, as text."""
    texts = []
    for output in cell["outputs"]:
        assert output["output_type"] != "error", output
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        texts.append(text if isinstance(text, str) else "".join(text))
    return texts


def pictures(cells: Cells) -> int:
    """How many plots there are."""
    return sum("image/png" in out.get("data", {}) for cell in cells for out in cell["outputs"])


@needs_group
def test_the_notebook_gives_what_it_shows(tmp_path: Path) -> None:
    """Each cell's text is the committed one; plots are there."""
    out = tmp_path / "run.ipynb"
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "notebook.py"), str(out)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    now, committed = cells_of(out), cells_of(NOTEBOOK)
    assert [cell["source"] for cell in now] == [cell["source"] for cell in committed]
    for cell, shown in zip(now, committed, strict=True):
        assert said(cell) == said(shown), "".join(cell["source"])
    assert pictures(now) == pictures(committed) == 4


def test_the_notebook_is_committed_with_its_answers() -> None:
    """Five questions, every cell run in order, and no path of a machine in it."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    cells = cells_of(NOTEBOOK)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert [f"## {number}. " in text for number in range(1, 7)] == [True] * 5 + [False]
    shown = "\n".join(part for cell in cells for part in said(cell))
    assert "/home" not in shown
    assert "/tmp" not in shown
