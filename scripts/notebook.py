"""Runs docs/five-questions.ipynb and puts its outputs into it.

    python scripts/notebook.py [OUT]

OUT is where the notebook with its outputs goes; by default it takes the place of the old one.
Needs the dependency group `notebook`. A cell that fails ends it with status 1.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "docs" / "five-questions.ipynb"
SECONDS = 180
"""For each cell: two of them run a test suite."""


def main(out: Path) -> None:
    """Writes the notebook with new outputs to `out`."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", record_timing=False).execute()
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOK)
