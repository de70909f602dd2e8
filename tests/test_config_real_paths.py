"""Real paths are those of `os.path.realpath`."""

import os
from pathlib import Path

import pytest

from whotests.config.real_paths import RealPaths


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    for name in ("real/a.py", "real/sub/b.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder").symlink_to("real", target_is_directory=True)
    (tmp_path / "twice").symlink_to(tmp_path / "folder", target_is_directory=True)
    (tmp_path / "real" / "up").symlink_to("..", target_is_directory=True)
    (tmp_path / "real" / "c.py").symlink_to("sub/b.py")
    (tmp_path / "real" / "round").symlink_to("round")
    (tmp_path / "real" / "lost.py").symlink_to("nowhere.py")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        "real/a.py",
        "folder/a.py",
        "folder/sub/b.py",
        "folder/c.py",
        "twice/sub/b.py",
        "twice/up/folder/c.py",
        "folder/up/real/a.py",
        "folder/../real/a.py",
        "twice/sub/../c.py",
        "real/./a.py",
        "real/round",
        "real/round/a.py",
        "real/lost.py",
        "missing/a.py",
        "real/",
        "..",
        "",
    ],
)
def test_as_realpath(tree: Path, path: str) -> None:
    """The first time and the second time, from the root and from here."""
    paths = RealPaths()
    for form in (path, str(tree / path), os.path.join(str(tree), path)):
        for _ in range(2):
            assert paths.of(form) == os.path.realpath(form)


def test_the_root() -> None:
    assert RealPaths().of(os.sep) == os.path.realpath(os.sep)
