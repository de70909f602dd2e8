"""Finds tests by what `trial` calls them: modules, packages, names, files."""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

from whotests.hosts.loading import Broken, called, importable_part, leaves, without

__all__ = ["Trial"]


class Trial:
    """Loads by trial's own loader, and goes on where something cannot be loaded."""

    def __init__(self, cwd: str, *, recurse: bool = True) -> None:
        from twisted.trial.runner import TestLoader

        self._cwd = cwd
        self._recurse = recurse
        self._loader: Any = TestLoader()
        self._asked: frozenset[str] = frozenset()
        self.broken: list[Broken] = []

    def load(self, targets: Sequence[str]) -> Iterator[Any]:
        """Suites and cases, in order. What cannot be loaded is then in `broken`."""
        names = [name for target in targets or (".",) for name in self._names(target)]
        self._asked = frozenset(names)
        loaded = self._loader.loadByNames(names, recurse=self._recurse)
        for part in loaded:
            yield from self._checked(part)

    def _checked(self, part: Any) -> Iterator[Any]:
        holders = [test for test in leaves(part) if is_holder(test)]
        for holder in holders:
            name = holder.description
            if (found := self._in_its_module(name)) is not None:
                yield found
            else:
                text = "".join(traceback.format_exception(*holder.error))
                self.broken.append(Broken(name, text))
        if not holders:
            yield part
        elif (kept := without(part, holders)) is not None:
            yield kept

    def _in_its_module(self, name: str) -> Any:
        """A test that exists only once its module is loaded as a whole."""
        if name not in self._asked or os.sep in name:
            return None
        wanted = name.partition(" #")[0]
        module = importable_part(wanted)
        if module is None or module == wanted or module not in sys.modules:
            return None
        whole = self._loader.loadByName(module)
        return called(wanted, without(whole, filter(is_holder, leaves(whole))))

    def _names(self, target: str) -> list[str]:
        """What trial's loader takes: a path with a separator, or a dotted name."""
        path, _, inner = target.partition("::")
        whole = os.path.join(self._cwd, path)
        if os.path.isfile(whole) and path.endswith(".py"):
            if not inner:
                return [os.path.abspath(whole)]
            from twisted.python.reflect import filenameToModuleName

            module = filenameToModuleName(os.path.abspath(whole))
            return [".".join([module, *inner.split("::")])]
        if not os.path.isdir(whole):
            return [target]
        if os.path.isfile(os.path.join(whole, "__init__.py")):
            return [os.path.abspath(whole)]
        # A folder of modules, which trial itself takes one by one only.
        names: list[str] = []
        for name in sorted(os.listdir(whole)):
            inside = os.path.join(whole, name)
            if os.path.isfile(os.path.join(inside, "__init__.py")) or (
                name.startswith("test_") and name.endswith(".py")
            ):
                names.append(os.path.abspath(inside))
        return names


def is_holder(test: Any) -> bool:
    """Whether it only holds the error for which something could not be loaded."""
    from twisted.trial.runner import ErrorHolder

    return isinstance(test, ErrorHolder)
