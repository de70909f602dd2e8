"""Calls back once a module has been imported, without importing it."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # what typing calls so: every process that is started imports this
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Callback = Callable[[ModuleType], None]

__all__ = ["when_imported"]


def when_imported(name: str, callback: Callback) -> None:
    """Call `callback` with the module `name` once its code has run; at once if it already has.

    The module keeps the spec and loader that it would have had. Each import of another module
    costs one dictionary lookup while something is waited for, and nothing afterwards. An
    exception of `callback` reaches the importer, so it had better have none. Modules that are
    frozen or built into the interpreter are told of only when they are there already.
    """
    module = sys.modules.get(name)
    if module is not None and not _is_initializing(module):
        callback(module)
        return
    _FINDER.waiting.setdefault(name, []).append(callback)
    if module is not None and name not in _FINDER.beginning:
        _FINDER.beginning.append(name)
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


def _is_initializing(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


class _Finder:
    """Lets the other finders find, and has the found loader tell when it has run the module."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Callback]] = {}
        self.beginning: list[str] = []
        """Those of them whose code ran already when they were asked for: their end is seen at
        another import only."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if self.beginning:
            self._look_for_ends()
        if fullname not in self.waiting:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                self._listen_to(spec.loader, fullname)
                return spec
        return None

    def _listen_to(self, loader: Any, name: str) -> None:
        # The loader stays the object that it is: for one import it has an `exec_module` of its
        # own. Loaders that are classes (of frozen and built-in modules) are shared by all.
        if loader is None or isinstance(loader, type):
            return
        ordinary = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            if module.__name__ != name:  # an archive's loader serves many modules
                ordinary(module)
                return
            vars(loader).pop("exec_module", None)
            ordinary(module)
            self.notify(module)

        try:  # `suppress` would have to be imported
            loader.exec_module = exec_module
        except (AttributeError, TypeError):
            return

    def _look_for_ends(self) -> None:
        for name in self.beginning.copy():
            module = sys.modules.get(name)
            if module is None or not _is_initializing(module):
                self.beginning.remove(name)
                if module is not None:
                    self.notify(module)

    def notify(self, module: ModuleType) -> None:
        # One that is called may wait for the same module.
        while callbacks := self.waiting.pop(module.__name__, ()):
            for callback in callbacks:
                callback(module)
        if not self.waiting and self in sys.meta_path:
            sys.meta_path.remove(self)


_FINDER = _Finder()
