"""Plugins of pytest and runners that change other runs when they are merely installed.

So they are in a folder of their own, which only the runs that are to have them get on their path.
"""

import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

__all__ = ["FOR_FORKS", "PLUGINS", "install"]

PLUGINS = (
    "anyio>=4.9,<5",
    "django>=5.2,<5.3",
    "pytest-asyncio>=1.2,<2",
    "pytest-randomly>=4,<6",
    "pytest-rerunfailures>=16,<17",
    "trio>=0.30,<1",
    # What these need, but for what the tests' environment has.
    "asgiref>=3.8,<4",
    "attrs>=24",
    "idna>=3",
    "outcome>=1.3,<2",
    "sniffio>=1.3,<2",
    "sortedcontainers>=2.4,<3",
    "sqlparse>=0.5,<1",
    "tblib>=3,<4",
    "typing-extensions>=4.13",
)
FOR_FORKS = ("pytest>=8.4,<8.5", "pytest-forked==1.6.0", "py>=1.11,<2")
"""pytest-forked, and a pytest whose reports it can hand on: those of 9.2 it cannot."""


def install(folder: Path, packages: tuple[str, ...]) -> Path:
    """The folder below `folder` that has the packages for this interpreter; filled once.

    Raises CalledProcessError without a package index.
    """
    told = "\n".join((sys.version, *packages)).encode()
    place = folder / f"plugins-{sha256(told).hexdigest()[:12]}"
    if not place.exists():
        folder.mkdir(exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="new-", dir=folder))
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, "install", "--no-deps", "--target", str(made), *packages], check=True)
        try:
            made.rename(place)
        except OSError:  # another one was faster
            if not place.exists():
                raise
    return place
