"""Loaded by the Dask workers of a cluster that was started for one run: Ctrl-C is the run's.

A terminal sends it to all processes of the command; the run ends its hosts by itself then.
"""

import signal
import threading

__all__ = ["dask_setup"]


def dask_setup(_worker: object) -> None:
    """Let a worker's process go on at Ctrl-C; what it starts is not concerned."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, lambda number, frame: None)
