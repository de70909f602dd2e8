"""A scope takes in the source and nothing else."""

import os
import sysconfig
from pathlib import Path

import pytest

import whotests
from measured_commands import write_files
from whotests.config.scope import Scope

TREE = {
    "pkg/__init__.py": "",
    "pkg/a.py": "",
    "pkg/sub/__init__.py": "",
    "pkg/sub/b.py": "",
    "pkg/data/c.py": "",
    "pkg/not-a name!.py": "",
    "pkg/.#lock.py": "",
    "single.py": "",
    "tests/test_a.py": "",
    ".venv/pyvenv.cfg": "",
    ".venv/lib/python3.11/site-packages/other/__init__.py": "",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with packages, a script, tests and a virtual environment."""
    write_files(tmp_path, TREE)
    return tmp_path


def measured(tree: Path, *source: str, omit: tuple[str, ...] = ()) -> set[str]:
    """The files of the tree that such a scope measures."""
    scope = Scope([str(tree / name) for name in source], root=tree, omit=omit)
    return {name for name in TREE if scope.measures(str(tree / name))}


def test_folder_takes_in_all_that_could_be_imported(tree: Path) -> None:
    """All below the folder, namespace packages too; installed packages are out."""
    assert measured(tree, "pkg") == {name for name in TREE if name.startswith("pkg/")}
    assert ".venv/lib/python3.11/site-packages/other/__init__.py" not in measured(tree, "")
    assert "tests/test_a.py" in measured(tree, "")


def test_installed_package_that_is_named(tree: Path) -> None:
    """A source within site-packages is measured, its neighbours are not."""
    site = ".venv/lib/python3.11/site-packages"
    assert measured(tree, f"{site}/other") == {f"{site}/other/__init__.py"}


def test_file_takes_in_itself(tree: Path) -> None:
    """A module as source is one file."""
    assert measured(tree, "single.py") == {"single.py"}
    assert measured(tree, "pk") == set()


def test_standard_library_is_out_unless_named() -> None:
    """A source above the library does not take it in; a source within does."""
    library = sysconfig.get_path("stdlib")
    file = os.path.join(library, "json", "decoder.py")
    assert not Scope([os.path.abspath(os.sep)], root=Path(os.sep)).measures(file)
    assert Scope([os.path.join(library, "json")], root=Path(os.sep)).measures(file)


@pytest.mark.parametrize("kind", ["stdlib", "platstdlib", "purelib", "platlib", "scripts"])
def test_what_is_installed_is_out_unless_named(kind: str) -> None:
    """All that `sysconfig` calls a place for installed files is known without asking it."""
    folder = sysconfig.get_path(kind)
    file = os.path.join(folder, "thing", "part.py")
    assert not Scope([os.path.abspath(os.sep)], root=Path(os.sep)).measures(file)
    assert Scope([os.path.join(folder, "thing")], root=Path(os.sep)).measures(file)


def test_whotests_does_not_measure_its_measuring() -> None:
    """The parts of whotests that run in the measured process are out, its queries are not."""
    package = Path(whotests.__file__).parent
    scope = Scope([str(package)], root=package)
    assert not scope.measures(str(package / "recording" / "session.py"))
    assert scope.measures(str(package / "query" / "__init__.py"))


@pytest.mark.parametrize(
    ("glob", "left_out"),
    [
        ("pkg/a.py", {"pkg/a.py"}),
        ("*/a.py", {"pkg/a.py"}),
        ("pkg/sub", {"pkg/sub/__init__.py", "pkg/sub/b.py"}),
        ("pkg/sub/", {"pkg/sub/__init__.py", "pkg/sub/b.py"}),
        ("**/b.py", {"pkg/sub/b.py"}),
        ("**/single.py", {"single.py"}),
        ("pkg/**/a.py", {"pkg/a.py"}),
        ("./single.py", {"single.py"}),
        ("sing", set()),
        ("pkg/[ab].py", {"pkg/a.py"}),
    ],
)
def test_omit_globs(tree: Path, glob: str, left_out: set[str]) -> None:
    """Globs hold for paths from the root, and a folder's name for all in it."""
    everything = measured(tree, "pkg", "single.py", "tests")
    assert everything - measured(tree, "pkg", "single.py", "tests", omit=(glob,)) == left_out


def test_omit_by_absolute_path(tree: Path) -> None:
    """A glob may be absolute too."""
    assert "pkg/a.py" not in measured(tree, "pkg", omit=(f"{tree.as_posix()}/pkg/a*",))


def test_linked_folder(tree: Path) -> None:
    """A file that is reached by another name of its folder is measured all the same."""
    (tree / "link").symlink_to(tree / "pkg")
    scope = Scope([str(tree / "pkg")], root=tree)
    assert scope.measures(str(tree / "link" / "a.py"))
    assert Scope([str(tree / "link")], root=tree).measures(str(tree / "pkg" / "a.py"))


def test_what_is_no_file(tree: Path) -> None:
    """Code of no file is never measured."""
    assert not Scope([str(tree)], root=tree).measures("<string>")


def test_python_files_follow_packages(tree: Path) -> None:
    """Files that could be imported: the top folder's own and those of packages below."""
    scope = Scope([str(tree / "pkg"), str(tree / "single.py")], root=tree, omit=("*/b.py",))
    names = [Path(file).relative_to(tree).as_posix() for file in scope.python_files()]
    assert names == ["pkg/__init__.py", "pkg/a.py", "pkg/sub/__init__.py", "single.py"]


def test_include_narrows_the_source(tree: Path) -> None:
    """Of the source, only what matches; and what is left out stays out."""
    scope = Scope([str(tree)], root=tree, include=("pkg/*", "single.py"), omit=("*/b.py",))
    assert {name for name in TREE if scope.measures(str(tree / name))} == {
        name for name in TREE if name.startswith(("pkg/", "single"))
    } - {"pkg/sub/b.py"}


def test_python_files_of_namespace_packages(tree: Path) -> None:
    """Where it is asked for, folders without `__init__.py` are looked through, too."""
    scope = Scope([str(tree / "pkg")], root=tree, namespace_packages=True)
    names = [Path(file).relative_to(tree).as_posix() for file in scope.python_files()]
    assert names == [
        "pkg/__init__.py",
        "pkg/a.py",
        "pkg/data/c.py",
        "pkg/sub/__init__.py",
        "pkg/sub/b.py",
    ]
