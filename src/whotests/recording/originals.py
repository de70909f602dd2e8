"""Threads and locks of the interpreter, also where others are put in their place.

gevent's `monkey.patch_all()` replaces them in `_thread` for the whole process; what is bound
here stays what it is. Where gevent was there first, it is asked for what it replaced.
"""

from __future__ import annotations

import _thread
import sys

TYPE_CHECKING = False  # what typing calls so: every process that is started imports this
if TYPE_CHECKING:
    from typing import Any

__all__ = ["RLock", "allocate_lock", "get_ident", "start_new_thread"]


def _original(name: str) -> Any:
    replaced = getattr(sys.modules.get("gevent.monkey"), "get_original", None)
    return getattr(_thread, name) if replaced is None else replaced("_thread", name)


allocate_lock: type[_thread.LockType] = _original("allocate_lock")
RLock: Any = _original("RLock")
get_ident = _original("get_ident")
start_new_thread = _original("start_new_thread")
