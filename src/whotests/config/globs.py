"""Patterns of paths, as coverage.py has them, and folders by their name. (PYTEST_DONT_REWRITE)

| pattern | matches |
|---|---|
| `*`, `?`, `[abc]` | within one name; `*` any characters, `?` one, `[abc]` one of these |
| `**/` | any folders, or none |
| `*/` or `**/` in front | the same |
| `/*` or `/**` at the end | all that is below |
| `name.py`, no '/' | files of that name anywhere |
| `a/b`, `a/b/`, no wildcard | that path, and all below it when it is a folder |

What does not begin with a wildcard is relative to the project's folder.
"""

import os
import re
from collections.abc import Iterable, Iterator
from os.path import abspath, realpath  # as they are now: programs replace the ones in `os.path`

from whotests.errors import UsageError

__all__ = ["checked_globs", "compile_globs", "translated"]

_PIECES = r"(\*+)|(\?)|(\[[^]/]*\])|([^*?\[\]]+)|([\[\]])"
_FLAGS = re.DOTALL | (re.IGNORECASE if os.name == "nt" else 0)


def compile_globs(globs: Iterable[str], *, root: str) -> re.Pattern[str] | None:
    """An expression whose `fullmatch` takes absolute paths with '/'; None for no glob at all.

    Raises `UsageError` for a glob that is none.
    """
    patterns = [pattern for glob in globs for pattern in _patterns(glob, root)]
    return re.compile("|".join(patterns), _FLAGS) if patterns else None


def checked_globs(globs: tuple[str, ...], *, where: str) -> tuple[str, ...]:
    """The globs as they are; raises `UsageError`, beginning with `where`, for one that is none."""
    for glob in globs:
        try:
            translated(glob)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error
    return globs


def _patterns(glob: str, root: str) -> Iterator[str]:
    yield translated(glob)
    if glob.startswith(("*", "?")):
        return
    plain = not any(letter in glob for letter in "*?[")
    for folder in dict.fromkeys((root, realpath(root))):
        place = abspath(os.path.join(folder, glob))
        if plain:
            yield re.escape(place.replace(os.sep, "/")) + "(?:/.*)?"
        elif place.startswith(os.path.join(folder, "")):
            # The folder's own name may hold what stands for something in a glob.
            inside = place.removeprefix(folder.rstrip(os.sep)).replace(os.sep, "/")
            yield re.escape(folder.replace(os.sep, "/").rstrip("/")) + translated(inside)
        else:
            yield translated(place)


def translated(glob: str) -> str:
    """The glob as a regular expression for a whole path."""
    text = glob.replace("\\", "/")
    *folders, last = text.split("/")
    if not folders:
        folders = ["**"]
    for before, part in zip(["", *folders], [*folders, last], strict=True):
        if "***" in part or ("**" in part and (part != "**" or before == "**")):
            raise UsageError(f"the pattern '{glob}' has '**' where it means nothing; write '**/'")
    found = []
    any_folders = False  # was what came last
    for index, part in enumerate(folders):
        any_folders = part == "**" or (part == "*" and not index)
        found.append("(?:.*/)?" if any_folders else _name(part, glob) + "/")
    if folders and not any_folders and last in ("*", "**"):
        found.append(".*")
    else:
        found.append(_name(last, glob))
    return "".join(found)


def _name(part: str, glob: str) -> str:
    """The expression for one name between slashes."""
    found = []
    for stars, one, several, plain, wrong in re.findall(_PIECES, part):
        if wrong:
            raise UsageError(f"the pattern '{glob}' has a '{wrong}' without its counterpart")
        if several:
            found.append(several)
        else:
            found.append("[^/]*" * bool(stars) + "[^/]" * bool(one) + re.escape(plain))
    return "".join(found)
