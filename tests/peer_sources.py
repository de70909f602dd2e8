"""The source archives of peers, whose own tests are run against ours."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

__all__ = ["fetch_source"]

ENVIRONMENTS = Path(__file__).parent.parent / ".venv"


def fetch_source(name: str, version: str) -> Path:
    """The unpacked source archive of one version, kept for the next time.

    It lies beside the project's environments, or in the system's temporary folder where there
    are none. Raises CalledProcessError without a package index.
    """
    above = ENVIRONMENTS if ENVIRONMENTS.is_dir() else Path(tempfile.gettempdir())
    folder = above / "sources"
    place = folder / f"{name}-{version}"
    if not place.exists():
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            _download(name, version, Path(fresh))
            unpacked = next(path for path in Path(fresh).iterdir() if path.is_dir())
            try:
                unpacked.rename(place)
            except OSError:  # another process was faster
                shutil.rmtree(unpacked)
    return place


def _download(name: str, version: str, folder: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    options = ("--no-deps", "--no-binary", name, "--dest", str(folder))
    subprocess.run([*pip, "download", *options, f"{name}=={version}"], check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
