"""What `multiprocessing` needs beyond what every program that is started is told.

A process that its fork server makes is a fork of a process that was started long ago: what is
open now travels with the data that prepare each new process. And pools end their workers by a
signal, so a part writes what is new before it tells anyone of it through a pipe.
"""

from __future__ import annotations

from whotests.recording.after_import import when_imported
from whotests.recording.handover import Handover
from whotests.recording.starting import looking_like

TYPE_CHECKING = False  # what typing calls so: every process that is started imports this
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Worker(Protocol):
        """A session, or one that is to begin. Nothing here raises."""

        def handover(self) -> str:
            """What a process that is started now is told, or ''."""

        def go_on_for(self, handover: Handover) -> None:
            """What runs from now on counts for what was open there."""

        def before_main(self, path: str) -> None:
            """The file of another process's `__main__` is going to be run here, too."""

        def before_telling(self) -> None:
            """Another process is going to learn of what has run."""


__all__ = ["watch_multiprocessing"]

_KEY = "whotests"
_watching: list[Worker] = []


def watch_multiprocessing(worker: Worker) -> None:
    """From now on, or from when `multiprocessing` is imported; for the newest session only."""
    _watching.append(worker)
    if len(_watching) == 1:
        when_imported("multiprocessing.spawn", _watch_spawn)
        when_imported("multiprocessing.connection", _watch_connection)


def _watch_spawn(module: Any) -> None:
    get_data, prepare_ordinary = module.get_preparation_data, module.prepare

    def get_preparation_data(*args: Any, **kwargs: Any) -> Any:
        data = get_data(*args, **kwargs)
        text = _watching[-1].handover()
        if text:
            data[_KEY] = text
        return data

    def prepare(data: Any) -> Any:
        text = data.get(_KEY)
        handover = Handover.from_text(text) if text else None
        if handover is not None:
            _watching[-1].go_on_for(handover)
        return prepare_ordinary(data)

    fix_ordinary = module._fixup_main_from_path

    def _fixup_main_from_path(main_path: Any) -> Any:
        _watching[-1].before_main(main_path)
        return fix_ordinary(main_path)

    module._fixup_main_from_path = looking_like(fix_ordinary, _fixup_main_from_path)
    module.get_preparation_data = looking_like(get_data, get_preparation_data)
    module.prepare = looking_like(prepare_ordinary, prepare)


def _watch_connection(module: Any) -> None:
    # All of its pipes and queues come down to this.
    for name in ("Connection", "PipeConnection"):
        kind = getattr(module, name, None)
        if kind is not None:
            kind._send_bytes = _telling(kind._send_bytes)


def _telling(ordinary: Any) -> Any:
    def _send_bytes(self: Any, *args: Any, **kwargs: Any) -> Any:
        _watching[-1].before_telling()
        return ordinary(self, *args, **kwargs)

    return looking_like(ordinary, _send_bytes)
