"""By which durations tests were last shared out among shards: the next shard goes by the same."""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from whotests.errors import MachineError
from whotests.runner.choosing.sharding import Weights, digest_of_tests, weights_of
from whotests.runner.items import Item

__all__ = ["KeptSplits"]

_MOST: Final = 20
"""Files of other selections of tests that are kept."""


class KeptSplits:
    """A folder with one small file per set of tests that was shared out.

    A shard that is run changes what the data file knows of durations. By these the next shard
    would share out otherwise, and tests would be lost between the two. So as long as the tests
    are the same, they are shared out as before; only where some of them had never been timed and
    now all have been, it is done anew. No clock and no chance decides: machines with the same
    data and the same folder, or with none, share out alike.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def weights(self, items: Sequence[Item]) -> Weights:
        """How long each test counts as taking.

        Raises MachineError when the folder cannot be read or written.
        """
        keys = sorted(item.key for item in items)
        own = weights_of(items)
        all_timed = all(item.seconds is not None for item in items)
        file = self._folder / f"{digest_of_tests(items)[:32]}.json"
        try:
            kept = _read(file, count=len(keys))
            if kept is not None and (kept[0] or not all_timed):
                return dict(zip(keys, kept[1], strict=True))
            weights = [own[key] for key in keys]
            self._write(file, all_timed, weights, anew=file.exists())
            # Another shard may have been faster; then its word counts.
            kept = _read(file, count=len(keys))
        except OSError as error:
            raise MachineError(
                f"cannot keep in {self._folder} how tests are shared out: {error.strerror}; make "
                "it writable, so that the next shard goes by the same"
            ) from error
        return own if kept is None else dict(zip(keys, kept[1], strict=True))

    def _write(self, file: Path, all_timed: bool, weights: list[int], *, anew: bool) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=".new")
        try:
            with open(descriptor, "w", encoding="ascii") as content:
                json.dump({"all_timed": all_timed, "microseconds": weights}, content)
            if anew:
                os.replace(name, file)
            else:
                _link(name, file)
        finally:
            Path(name).unlink(missing_ok=True)
        self._remove_old()

    def _remove_old(self) -> None:
        files = [(_changed(file), file) for file in self._folder.glob("*.json")]
        for _, file in sorted(files)[:-_MOST]:
            file.unlink(missing_ok=True)


def _link(name: str, file: Path) -> None:
    """Give the file its name, unless there is one of that name already."""
    try:
        os.link(name, file)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        os.replace(name, file)


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _read(file: Path, *, count: int) -> tuple[bool, list[int]] | None:
    """Whether all tests had been timed, and the weight of each; None where nothing is kept, or
    something else stands there."""
    try:
        said = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(said, dict):
        return None
    weights = said.get("microseconds")
    if not isinstance(weights, list) or len(weights) != count:
        return None
    if not all(isinstance(weight, int) and weight > 0 for weight in weights):
        return None
    return bool(said.get("all_timed")), weights
