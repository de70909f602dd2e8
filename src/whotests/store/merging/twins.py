"""Files that have the same source at different paths, and are one file therefore.

May import the standard library. Refuses to look at a disk, and at what is in a file: equal
digests are equal sources.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set

__all__ = ["File", "renamed"]

File = tuple[str, bytes]
"""Path and digest."""


def renamed(
    theirs: Iterable[File], ours: Iterable[File], *, telling: Set[bytes]
) -> Mapping[str, str]:
    """Paths there that are other paths here: theirs -> ours.

    Only `telling` digests say what belongs together: those of files with a source of their own.
    What differs is where a folder lies: each file of the same name and source, whose path the
    other side does not have, votes for two folders to be the same one, and each pair of folders
    with the most votes that contradicts none before it counts, for all files below it of which
    the source is the same.
    """
    there, here = _by_path(theirs), _by_path(ours)
    new = {path: digests for path, digests in there.items() if path not in here}
    free = {path: digests for path, digests in here.items() if path not in there}
    homes: dict[bytes, list[str]] = {}
    for path, digests in free.items():
        for digest in digests:
            homes.setdefault(digest, []).append(path)
    # A file below the project at the same place on both sides: projects begin at the same folder.
    same_root = any(
        not _is_absolute(path) and digests & here.get(path, set()) & telling
        for path, digests in there.items()
    )
    votes: Counter[tuple[str, str]] = Counter()
    for path, digests in new.items():
        pairs = {
            pair
            for digest in digests
            if digest in telling
            for pair in _nearest(path, homes.get(digest, ()))
            if not same_root or any(map(_is_absolute, (path, *pair)))
        }
        if len(pairs) == 1:
            votes.update(pairs)
    found: dict[str, str] = {}
    taken: set[str] = set()
    for (before, after), _ in sorted(votes.items(), key=lambda vote: (-vote[1], vote[0])):
        for path, digests in new.items():
            if path in found or not path.startswith(before):
                continue
            home = after + path[len(before) :]
            if home not in taken and digests & free.get(home, set()):
                found[path] = home
                taken.add(home)
    return found


def _by_path(files: Iterable[File]) -> dict[str, set[bytes]]:
    digests: dict[str, set[bytes]] = {}
    for path, digest in files:
        digests.setdefault(path, set()).add(digest)
    return digests


def _nearest(path: str, others: Iterable[str]) -> set[tuple[str, str]]:
    """Where the paths begin to be the same, for those of `others` that are so for longest."""
    best: set[tuple[str, str]] = set()
    length = 0
    for other in others:
        common = _common_end(path, other)
        names = common.count("/") + 1 if common else 0
        if names > length:
            best, length = set(), names
        if names and names == length:
            best.add((path.removesuffix(common), other.removesuffix(common)))
    return best


def _common_end(one: str, other: str) -> str:
    """The names that both paths end with."""
    names: list[str] = []
    for first, second in zip(reversed(one.split("/")), reversed(other.split("/")), strict=False):
        if first != second:
            break
        names.append(first)
    return "/".join(reversed(names))


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or path[1:3] == ":/"
