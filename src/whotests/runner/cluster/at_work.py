"""What a Dask worker does for a run: it has slots, and each an agent, as the command itself has.

All functions are called by `answer`, in a thread of the worker for each slot. What a slot had is
let go of when the command is gone, whatever ended it.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from whotests.runner.cluster.orders import Opened, Opening, Report, Work, opened_request
from whotests.runner.cluster.slot_there import SlotThere
from whotests.runner.cluster.tree import Tree

__all__ = [
    "answer",
    "close_slot",
    "has_source",
    "interrupt",
    "kill",
    "open_slot",
    "prepare",
    "stop",
    "work",
]

_PROCESS: Final = uuid4().hex

_LOOK: Final = 1.0
"""Seconds between looks at whether the command is still there."""

_slots: dict[tuple[str, str], SlotThere] = {}
_trees: dict[str, Tree] = {}
_lock = threading.RLock()
_watch: list[threading.Thread] = []


def answer(octets: bytes) -> Any:
    """Do what the request says."""
    name, arguments = opened_request(octets)
    return _FUNCTIONS[name](*arguments)


def has_source(run: str) -> bool:
    """Whether the project's source was unpacked here; it stays as long as this process is in the
    run."""
    return _tree(run).source.is_dir()


def prepare(run: str, digest: str, octets: bytes) -> None:
    """Have the project's source here; those who share the place have it, too."""
    _tree(run).unpack(digest, octets)


def open_slot(opening: Opening) -> Opened:
    """Have a slot of this name."""
    from distributed import get_worker

    key = (opening.run, opening.slot)
    with _lock:
        there = SlotThere(opening, _tree(opening.run), get_worker())
        _slots[key] = there
        if not _watch:
            thread = threading.Thread(target=_look_after, name="whotests watch", daemon=True)
            _watch.append(thread)
            thread.start()
    return Opened(_PROCESS, there.root, there.libraries)


def work(told: Work) -> Report:
    """Do an assignment. Raises LookupError when this process does not have the slot."""
    there = _slots.get((told.run, told.slot))
    if there is None or told.process != _PROCESS:
        raise LookupError("the worker's process is another one by now")
    return there.work(told.turn, told.assignment)


def interrupt(run: str, slot: str) -> None:
    """Let the slot's host end as by Ctrl-C."""
    if (there := _slots.get((run, slot))) is not None:
        there.agent.interrupt()


def kill(run: str, slot: str) -> None:
    """End the slot's host at once."""
    if (there := _slots.get((run, slot))) is not None:
        there.agent.kill()


def stop(run: str) -> None:
    """Let all hosts of the run here begin no test any more."""
    with _lock:
        here = [there for (its, _), there in _slots.items() if its == run]
    for there in here:
        there.stop()


def close_slot(run: str, slot: str) -> dict[str, bytes]:
    """Let go of the slot: what its processes wrote, by the names of files."""
    there = _slots.get((run, slot))
    logs = there.close() if there is not None else {}
    _forget(run, slot)
    return logs


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    each.__name__: each
    for each in (has_source, prepare, open_slot, work, interrupt, kill, stop, close_slot)
}


def _tree(run: str) -> Tree:
    with _lock:
        tree = _trees.get(run)
        if tree is None:
            user = os.getuid() if hasattr(os, "getuid") else "user"
            base = Path(tempfile.gettempdir()) / f"whotests-{user}"
            tree = _trees[run] = Tree.of(base, run)
        return tree


def _forget(run: str, slot: str) -> None:
    with _lock:
        _slots.pop((run, slot), None)
        if all(its != run for its, _ in _slots) and (tree := _trees.pop(run, None)) is not None:
            tree.close()


def _look_after() -> None:
    """End what was opened for a command that is gone."""
    while True:
        time.sleep(_LOOK)
        with _lock:
            if not _slots:
                _watch.clear()
                return
            left = [key for key, there in _slots.items() if there.is_left()]
        for key in left:
            threading.Thread(target=_end, args=key, daemon=True).start()


def _end(run: str, slot: str) -> None:
    there = _slots.get((run, slot))
    if there is not None:
        there.agent.kill()
        with suppress(Exception):  # nobody is there to tell
            there.close()
    _forget(run, slot)
