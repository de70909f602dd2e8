"""Which files and which contexts a report speaks of.

May import config's patterns and the store's values. Refuses to look at a disk.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from whotests.config.expressions import checked
from whotests.config.globs import checked_globs, compile_globs
from whotests.store.values import Context
from whotests.types import Phase

__all__ = ["Focus"]


class Focus:
    """All files and contexts, but for what is asked of them."""

    def __init__(
        self,
        *,
        root: Path,
        include: tuple[str, ...] = (),
        omit: tuple[str, ...] = (),
        contexts: Iterable[str] = (),
    ) -> None:
        """`include` and `omit` are globs relative to `root` (see `config.globs`), `contexts`
        regular expressions of which one has to be found in a context's name.

        Raises `UsageError` for one that is none.
        """
        self._root = root.as_posix().rstrip("/")
        self._include = compile_globs(checked_globs(include, where="--include"), root=str(root))
        self._omit = compile_globs(checked_globs(omit, where="--omit"), root=str(root))
        self._contexts = [re.compile(word) for word in checked(contexts, where="--contexts")]

    def takes_file(self, path: str) -> bool:
        """Whether the report speaks of the file; `path` as it is in the data."""
        absolute = path.startswith("/") or path[1:3] == ":\\"
        name = path.replace("\\", "/") if absolute else f"{self._root}/{path}"
        if self._omit is not None and self._omit.fullmatch(name):
            return False
        return self._include is None or self._include.fullmatch(name) is not None

    def takes_context(self, context: Context) -> bool:
        """Whether what ran under the context counts."""
        if not self._contexts:
            return True
        names = [context.name]
        if context.phase is Phase.CALL:
            names.append(f"{context.name.removesuffix('|call')}|run")  # pytest-cov's word for it
        return any(pattern.search(name) for pattern in self._contexts for name in names)
