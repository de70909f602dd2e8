"""Which files are measured."""

import os
import re
import site
import stat
import sys
from collections.abc import Iterable, Iterator
from os.path import abspath  # as it is now: programs replace the one in `os.path`
from pathlib import Path

from whotests.config.real_paths import RealPaths

__all__ = ["ARCHIVES", "Scope"]

ARCHIVES = (".zip", ".whl", ".egg", ".pyz")
"""How zip archives of Python files are called, in small letters."""

_SOURCE_NAME = re.compile(r"^[^.#~!$@%^&*()+=,]+\.pyw?$")
"""coverage.py's rule for files that could be imported by name."""

_INSTALLED = frozenset({"site-packages", "dist-packages"})

_OURSELVES = ("recording", "integrations", "probes", "source", "config", "store")
"""Packages of whotests that do the measuring, and so cannot be measured by it."""


class Scope:
    """Decides for a path whether it is measured, and lists the source files there are.

    `source` holds absolute folders and files; see `config.discover`. The standard library,
    installed packages and virtual environments are out, unless a source lies in there itself.
    """

    def __init__(
        self,
        source: Iterable[str],
        *,
        root: Path,
        include: Iterable[str] = (),
        omit: Iterable[str] = (),
        namespace_packages: bool = False,
    ) -> None:
        """`include` and `omit` are globs (see `config.globs`), and no `include` takes in all.

        With `namespace_packages`, folders without `__init__.py` are looked through, too.
        """
        self.source = tuple(dict.fromkeys(os.path.normpath(entry) for entry in source))
        self._include = _compiled(include, root)
        self._omit = _compiled(omit, root)
        self._namespace_packages = namespace_packages
        self._real_paths = RealPaths()
        forms = (form for entry in self.source for form in self._forms(entry))
        self._entries = tuple(dict.fromkeys(map(os.path.normcase, forms)))
        walls = self._walls()
        self._insides = [
            (inside, tuple(wall for wall in walls if not inside.startswith(wall)))
            for inside in map(_as_prefix, self._entries)
        ]
        """What a source's paths begin with, and what none of them may begin with."""
        self._memo: dict[str, bool] = {}

    def measures(self, path: str) -> bool:
        """Whether the file at `path` is to be measured; cheap from the second time on."""
        known = self._memo.get(path)
        if known is None:
            known = self._memo[path] = self._decide(path)
        return known

    def real_path(self, path: str) -> str:
        """The absolute path of a file without symbolic links in it."""
        return self._real_paths.of(path)

    def python_files(self) -> Iterator[str]:
        """All source files, each once, sorted within a source.

        Like coverage.py it goes down only into folders that have an `__init__.py`, but for
        the source folder itself, unless `namespace_packages` says otherwise.
        """
        seen: set[str] = set()
        for entry in self.source:
            for path in _walk(entry, everywhere=self._namespace_packages):
                if path not in seen and self.measures(path):
                    seen.add(path)
                    yield path

    def _decide(self, path: str) -> bool:
        if path.startswith("<"):
            return False
        absolute = abspath(path)
        if self._is_inside(absolute):
            return self._is_wanted(absolute)
        try:
            real = self.real_path(absolute)
        except Exception:  # it calls what a program may have replaced: blockbuster forbids it
            return False
        return real != absolute and self._is_inside(real) and self._is_wanted(real)

    def _is_inside(self, path: str) -> bool:
        """Whether a source holds the path with no wall between them."""
        path = os.path.normcase(path)  # Windows: one file has many spellings
        if path in self._entries:
            return True
        return any(
            path.startswith(inside)
            and not path.startswith(walls)
            and _INSTALLED.isdisjoint(path[len(inside) :].split(os.sep))
            for inside, walls in self._insides
        )

    def _is_wanted(self, path: str) -> bool:
        name = path.replace(os.sep, "/")
        if self._omit is not None and self._omit.fullmatch(name):
            return False
        return self._include is None or self._include.fullmatch(name) is not None

    def _walls(self) -> tuple[str, ...]:
        """Folders whose contents are measured only for a source that lies in them itself."""
        # Not by `sysconfig`, which takes longer than anything else that is done to begin a run.
        library = os.path.dirname(os.__file__)
        binary = os.path.join(sys.exec_prefix, sys.platlibdir, os.path.basename(library))
        packages = site.getsitepackages()
        scripts = (os.path.join(folder, "..", "..", "..", "bin") for folder in packages)
        folders = {library, binary, *packages, *scripts}
        if sys.prefix != sys.base_prefix:
            folders.add(sys.prefix)
        package = os.path.dirname(os.path.dirname(abspath(__file__)))
        folders.update(os.path.join(package, name) for name in _OURSELVES)
        return tuple(
            _as_prefix(os.path.normcase(form))
            for folder in sorted(folders)
            for form in self._forms(abspath(folder))
        )

    def _forms(self, path: str) -> Iterable[str]:
        return dict.fromkeys((path, self.real_path(path)))


def _compiled(globs: Iterable[str], root: Path) -> re.Pattern[str] | None:
    if not globs:
        return None
    from whotests.config.globs import compile_globs  # nothing to import where there are none

    return compile_globs(globs, root=str(root))


def _as_prefix(folder: str) -> str:
    return folder if folder.endswith(os.sep) else folder + os.sep


def _walk(entry: str, *, everywhere: bool) -> Iterator[str]:
    if not os.path.isdir(entry):
        yield entry
        return
    for folder, subfolders, files in os.walk(entry):
        if folder != entry and not everywhere and "__init__.py" not in files:
            subfolders.clear()
            continue
        subfolders.sort()
        for name in sorted(files):
            if _SOURCE_NAME.match(name) and not _is_device(path := os.path.join(folder, name)):
                yield path


def _is_device(path: str) -> bool:
    """Whether it is a FIFO, socket or the like: to read it could take for ever."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:  # what reads it says so
        return False
