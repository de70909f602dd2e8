"""What to say of keys of coverage.py's settings that have no meaning here."""

from typing import Final

from whotests.config.project import shown_file
from whotests.config.settings import Settings

__all__ = ["unused_sentences"]

_OF_REPORTS: Final = ("report", "html", "xml", "json", "lcov")


def unused_sentences(settings: Settings, *, of_reports: bool) -> list[str]:
    """One for each key, with the reason: those of reports, or those of runs.

    They are told by the commands that they are about, so that each is told once.
    """
    if not settings.unused or settings.file is None:
        return []
    file = shown_file(settings.file)
    sentences = []
    for section, key, reason in settings.unused:
        name = section.removeprefix("coverage:").removeprefix("tool.coverage.")
        if (name in _OF_REPORTS) is of_reports:
            what = f"'{key}' of [{section}]" if key else f"[{section}]"
            sentences.append(f"{file}: {what} changes nothing: {reason}")
    return sentences
