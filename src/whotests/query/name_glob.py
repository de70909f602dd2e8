"""Globs of the names of tests."""

from collections.abc import Callable
from fnmatch import fnmatchcase

__all__ = ["name_glob"]


def name_glob(glob: str) -> Callable[[str], bool]:
    """Whether a name fits: '*' stands for any characters, '/' too, and '?' for one. Brackets, which
    hold a test's parameters, stand for themselves."""
    pattern = glob.replace("[", "[[]")
    return lambda name: fnmatchcase(name, pattern)
