"""A page of docs/ with passages that a benchmark writes."""

from pathlib import Path

__all__ = ["write_between_markers"]


def write_between_markers(page: Path, name: str, passage: str) -> None:
    """Replace what stands between the page's markers of that name; the rest is left alone."""
    first, last = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, begin, rest = page.read_text(encoding="utf-8").partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise SystemExit(f"{page}: the lines {first} and {last} must stand in it")
    page.write_text(f"{before}{first}\n\n{passage}\n\n{last}{after}", encoding="utf-8")
