"""Options of pytest-cov in pytest's settings, and what stands for them here."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

__all__ = ["COUNTERPARTS", "pytest_words", "translated_words"]

COUNTERPARTS: Final[Mapping[str, str]] = {
    "--cov": "--whotests",
    "--cov-reset": "--whotests-reset",
    "--cov-report": "--whotests-report",
    "--cov-config": "--whotests-config",
    "--no-cov-on-fail": "--whotests-no-report-on-fail",
    "--no-cov": "--no-whotests",
    "--cov-fail-under": "--whotests-fail-under",
    "--cov-append": "--whotests-append",
    "--cov-branch": "--whotests-branch",
    "--cov-precision": "--whotests-precision",
    "--cov-context": "",
}
"""Option of pytest-cov -> ours; '' where what it asks for is so anyway."""

_WITH_VALUE: Final = frozenset(
    f"--cov-{name}" for name in ("report", "config", "fail-under", "precision", "context")
)
_PAGES: Final = ("html", "annotate")
_PLACES: Final = (
    ("pytest.ini", "pytest"),
    (".pytest.ini", "pytest"),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
)


def pytest_words(root: Path, tool: Mapping[str, object]) -> Iterator[tuple[Path, str, str]]:
    """File, options of pytest-cov in its `addopts`, and ours in their place.

    `tool` is what pyproject.toml has under that name.
    """
    for file, words in _addopts(root, tool):
        before, after = translated_words(words)
        if before:
            yield file, shlex.join(before), shlex.join(after)


def translated_words(words: list[str]) -> tuple[list[str], list[str]]:
    """The options of pytest-cov among the words, and what stands for them."""
    before: list[str] = []
    after: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name not in COUNTERPARTS:
            continue
        before.append(word)
        takes = name in _WITH_VALUE or name == "--cov"
        if not equals and takes and rest and not rest[0].startswith("-"):
            value = rest.pop(0)
            before.append(value)
        ours = COUNTERPARTS[name]
        # The settings are in [tool.whotests] now, and there are no pages of source.
        page = name == "--cov-report" and value.partition(":")[0] in _PAGES
        if ours and name != "--cov-config" and not page:
            after.append(f"{ours}={value}" if value or name in _WITH_VALUE else ours)
    if "--cov" in {word.partition("=")[0] for word in before} and not any(
        word.startswith("--cov-report") for word in before
    ):
        after.append("--whotests-report=term")  # pytest-cov's default
    return before, after


def _addopts(root: Path, tool: Mapping[str, object]) -> Iterator[tuple[Path, list[str]]]:
    for name, section in _PLACES:
        try:
            text = (root / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if "addopts" not in text:
            continue
        import configparser  # seldom needed

        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(text)
            yield root / name, shlex.split(parser.get(section, "addopts", fallback=""))
        except (configparser.Error, ValueError):
            continue  # pytest says what is wrong with its own settings
    table = tool.get("pytest")
    options = table.get("ini_options") if isinstance(table, dict) else None
    for settings in (options, table):
        value = settings.get("addopts") if isinstance(settings, dict) else None
        if isinstance(value, str):
            yield root / "pyproject.toml", shlex.split(value)
        elif isinstance(value, list):
            yield root / "pyproject.toml", [str(word) for word in value]
