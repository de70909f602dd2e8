"""Tags of a run, and those of one test on top of them."""

from collections.abc import Iterable

__all__ = ["TagChange", "TagContext", "merge_tags"]

TagChange = tuple[set[str], set[str]]
"""Tags that come and tags that go."""


class TagContext:
    """Tags that begin as those of `parent`, if there is one, and change without changing it."""

    def __init__(self, parent: "TagContext | None" = None) -> None:
        self.parent = parent
        self._tags = set() if parent is None else parent.get_current_tags()

    def get_current_tags(self) -> set[str]:
        """The tags, in a set of the caller's own."""
        return set(self._tags)

    def change_tags(self, new_tags: Iterable[str], gone_tags: Iterable[str]) -> set[str]:
        """Add tags, then remove tags; what there is then."""
        self._tags.update(new_tags)
        self._tags.difference_update(gone_tags)
        return self.get_current_tags()


def merge_tags(earlier: TagChange, later: TagChange) -> TagChange:
    """One change that does what two do, one after the other."""
    new, gone = later
    return (earlier[0] | new) - gone, (earlier[1] | gone) - new
