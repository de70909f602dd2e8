"""The project's own source is found, and names are resolved without importing anything."""

import sys
from pathlib import Path

import pytest

from measured_commands import write_files
from whotests.config.discover import default_source, find_source, resolve_source
from whotests.errors import UsageError


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["src/pkg/__init__.py", "tests/test_a.py"], ["src"]),
        (["src/one.py", "pkg/__init__.py"], ["src"]),
        (["pkg/__init__.py", "tests/__init__.py", "docs/__init__.py"], ["pkg"]),
        (["b/__init__.py", "a/__init__.py", "build/__init__.py", "_p/__init__.py"], ["a", "b"]),
        (["pyproject.toml", "one.py", "setup.py", "conftest.py", "test_one.py"], ["one.py"]),
        (["pyproject.toml", "pkg/__init__.py", "one.py"], ["pkg"]),
        (["tests/test_a.py"], ["."]),
        (["one.py", "two.py"], ["."]),
    ],
)
def test_default_source(tmp_path: Path, files: list[str], expected: list[str]) -> None:
    """src layout, then packages as setuptools finds them, then modules, then the folder."""
    write_files(tmp_path, dict.fromkeys(files, ""))
    found = default_source(root=tmp_path, cwd=tmp_path)
    assert found == tuple(
        str(tmp_path / name) if name != "." else str(tmp_path) for name in expected
    )


def test_default_source_of_a_script(tmp_path: Path) -> None:
    """Where there is no project, a script's folder."""
    write_files(tmp_path, {"there/prog.py": ""})
    found = default_source(root=tmp_path, cwd=tmp_path, script="there/prog.py")
    assert found == (str(tmp_path / "there"),)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder of packages, none of which can be imported without harm."""
    harm = "raise SystemExit('imported')"
    write_files(
        tmp_path / "site",
        {
            "regular/__init__.py": harm,
            "regular/inner/__init__.py": harm,
            "regular/module.py": harm,
            "regular/space/part.py": harm,
            "single.py": harm,
            "shared/one.py": harm,
        },
    )
    write_files(tmp_path / "more", {"shared/two.py": harm})
    (tmp_path / "here").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("regular", ["site/regular"]),
        ("regular.inner", ["site/regular/inner"]),
        ("regular.module", ["site/regular/module.py"]),
        ("regular.space", ["site/regular/space"]),
        ("regular.space.part", ["site/regular/space/part.py"]),
        ("single", ["site/single.py"]),
        ("shared", ["site/shared", "more/shared"]),
        ("shared.two", ["more/shared/two.py"]),
    ],
)
def test_names_are_located_without_imports(installed: Path, name: str, expected: list[str]) -> None:
    """Packages, modules and namespace packages, on the path that is given."""
    path = [str(installed / "site"), str(installed / "more")]
    found = resolve_source(name, cwd=installed / "here", path=path)
    assert found == tuple(str(installed / part) for part in expected)
    assert name not in sys.modules


def test_existing_path_wins(installed: Path) -> None:
    """A folder here goes before a package of that name."""
    (installed / "here" / "regular").mkdir()
    path = [str(installed / "site")]
    assert resolve_source("regular", cwd=installed / "here", path=path) == (
        str(installed / "here" / "regular"),
    )


def test_unknown_name_gets_the_nearest(installed: Path) -> None:
    """Neither path nor package: the message names what is near."""
    path = [str(installed / "site")]
    with pytest.raises(UsageError, match=r"'reglar' is neither .* 'regular'"):
        find_source(["reglar"], root=installed, cwd=installed / "here", path=path)
    with pytest.raises(UsageError, match="'regular' exists, but has no such part"):
        resolve_source("regular.nothing", cwd=installed / "here", path=path)


@pytest.mark.parametrize("name", ["sys", "builtins"])
def test_builtin_modules_have_no_source(tmp_path: Path, name: str) -> None:
    """What is built into the interpreter cannot be measured, and is told so."""
    with pytest.raises(UsageError, match="built into the interpreter"):
        resolve_source(name, cwd=tmp_path, path=[str(tmp_path)])


def test_file_that_is_not_python(tmp_path: Path) -> None:
    """An existing file without Python in it is told as such."""
    write_files(tmp_path, {"notes.txt": "hello"})
    with pytest.raises(UsageError, match="not Python source"):
        resolve_source("notes.txt", cwd=tmp_path, path=[])


def test_packages_are_never_paths(tmp_path: Path) -> None:
    """A name that is told to be a package's is looked for as one, whatever lies here."""
    write_files(tmp_path, {"site/lib/__init__.py": "", "here/lib/x.py": "", "here/y.py": ""})
    here, site = tmp_path / "here", str(tmp_path / "site")
    found = find_source(("y.py",), root=here, cwd=here, path=[site], packages=("lib",))
    assert found == (str(here / "y.py"), str(tmp_path / "site" / "lib"))
    with pytest.raises(UsageError, match=r"'y\.py' is neither"):
        find_source((), root=here, cwd=here, path=[site], packages=("y.py",))
