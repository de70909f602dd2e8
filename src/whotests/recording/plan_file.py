"""Where the processes that a measured one starts find its plan: beside the cache, by its content.

So a variable of the environment stays short, and there is one file for thousands of processes
and as many runs as have the same settings. Nobody has to remove it.
"""

import os
from contextlib import suppress

from whotests.recording.plan import Plan
from whotests.source.digests import blake2b

__all__ = ["PlanFile"]


class PlanFile:
    """The file, which is written when it is asked for first."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan._replace(command=(), append=True)
        self._told = ""

    def tell(self) -> str:
        """Its path; or the plan itself as JSON, where nothing can be written."""
        if not self._told:
            text = self._plan.to_json()
            name = blake2b(text.encode(), digest_size=12).hexdigest()
            path = os.path.join(self._plan.cache, "plans", f"{name}.json")
            self._told = path if os.path.exists(path) or _written(path, text) else text
        return self._told


def _written(path: str, text: str) -> bool:
    unfinished = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(unfinished, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(unfinished, path)
    except OSError:
        with suppress(OSError):
            os.unlink(unfinished)
        return False
    return True
