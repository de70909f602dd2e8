"""Kills hosts of a run at random, at any time."""

import os
import random
import re
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["Killer"]

BEGINS = re.compile(r"process (\d+) begins")
OVER = re.compile(r"process (\d+) is over")


class Killer:
    """While it is entered: kills a host of the newest run in a folder again and again."""

    def __init__(self, runs: Path, *, most: int, seed: int, wait: float) -> None:
        """No more than `most`, about every `wait` seconds."""
        self._runs = runs
        self._most = most
        self._wait = wait
        self._chance = random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._kill, name="killer", daemon=True)
        self.kills = 0

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _kill(self) -> None:
        while self.kills < self._most:
            if self._over.wait(self._chance.uniform(0.2, 2) * self._wait):
                return
            hosts = living_hosts(self._runs)
            if hosts:
                with suppress(ProcessLookupError):
                    os.kill(self._chance.choice(hosts), signal.SIGKILL)
                    self.kills += 1


def living_hosts(runs: Path) -> list[int]:
    """The processes of hosts that were begun more than a moment ago and have not ended."""
    hosts: list[int] = []
    for log in runs.glob("*/w*.log"):  # not deeper: tests remove folders of their own there
        if time.time() - log.stat().st_mtime > 0.5:
            text = log.read_text(encoding="utf-8")
            over = set(OVER.findall(text))
            hosts += [int(pid) for pid in BEGINS.findall(text) if pid not in over]
    return hosts
