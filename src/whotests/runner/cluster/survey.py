"""What a machine has, told from within a worker of the cluster.

Its text is sent there and run, so it says what is missing where nothing of ours is installed:
the standard library only, and no syntax that an older Python would not read.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import socket
import sys
import sysconfig
import tempfile
import uuid

__all__ = ["survey"]


def survey(token: str, root: str) -> dict[str, object]:
    """All that tells whether tests can run there; `token` is the path of a file of the run,
    `root` that of the project."""
    place, problem = _place()
    distributions: dict[str, str] = {}
    for each in importlib.metadata.distributions():
        name = each.metadata["Name"]
        if name:
            distributions.setdefault(name.lower().replace("_", "-").replace(".", "-"), each.version)
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "platform": sys.platform,
        "libraries": sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
        "distributions": distributions,
        "seen": _content(token) if os.path.isdir(root) else "",
        "place": place,
        "problem": problem,
    }


def _place() -> tuple[str, str]:
    """What all processes that see the same temporary folder call it; and what is wrong with it."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = os.path.join(tempfile.gettempdir(), f"whotests-{user}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and os.stat(folder).st_uid != os.getuid():
            return "", f"{folder} belongs to another user"
        path = os.path.join(folder, "place")
        mine = f"{path}.{uuid.uuid4().hex}"
        with open(mine, "w") as file:
            file.write(uuid.uuid4().hex)
        try:
            os.link(mine, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(mine)
        return _content(path), ""
    except OSError as failure:
        return "", str(failure)


def _content(path: str) -> str:
    try:
        with open(path) as file:
            return file.read(100)
    except OSError:
        return ""
