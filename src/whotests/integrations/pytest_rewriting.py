"""Measures files whose assertions pytest rewrites: both changes are made to one tree.

Imported once pytest's rewriting has been imported, and only in a measured run.
(PYTEST_DONT_REWRITE)
"""

import functools
import sys
from ast import Module
from types import CodeType, ModuleType
from typing import Any

from whotests.probes.load import code_for_rewritten

__all__ = ["instrument_rewritten"]


def instrument_rewritten(module: ModuleType) -> None:
    """Give pytest's import hook instrumented code for measured files, as if from its cache.

    pytest asks `_read_pyc(source, pyc, trace)` for rewritten code before it makes some, and
    stores only what it made itself: so what we give never gets into a cache of pytest's.
    """
    read_cached = module._read_pyc

    @functools.wraps(read_cached)
    def _read_pyc(source: Any, *args: Any, **kwargs: Any) -> CodeType | None:
        hook = sys._getframe(1).f_locals.get("self")
        config = getattr(hook, "config", None)
        if config is not None:
            code = _instrumented(module, str(source), config)
            if code is not None:
                return code
        cached: CodeType | None = read_cached(source, *args, **kwargs)
        return cached

    module._read_pyc = _read_pyc  # type: ignore[attr-defined]


def _instrumented(module: ModuleType, path: str, config: Any) -> CodeType | None:
    def rewrite(tree: Module, source: bytes) -> None:
        module.rewrite_asserts(tree, source, path, config)

    try:
        with_hook = bool(config.getini("enable_assertion_pass_hook"))
    except (KeyError, ValueError):
        with_hook = False
    version = getattr(sys.modules.get("_pytest"), "__version__", "")
    return code_for_rewritten(path, rewrite, f"pytest {version} {with_hook}")
