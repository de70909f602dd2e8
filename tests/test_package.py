"""What the installed package promises: its metadata, its commands, its public names, its size."""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sysconfig
from functools import cache
from importlib.metadata import EntryPoint, distribution, entry_points, version
from pathlib import Path

import pytest

import whotests
from whotests.probes.runtime import in_c

ROOT = Path(whotests.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
LONGEST = 500


def module_name(path: Path) -> str:
    parts = ("whotests", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


OF_FRAMEWORKS = ("__main__.py", "django_runner.py")
"""What is run, or imported by a framework that knows the user's settings by then."""

IMPORTABLE = sorted(module_name(path) for path in SOURCES if path.name not in OF_FRAMEWORKS)


@cache
def taken_from_others() -> dict[str, set[str]]:
    """By module: the names that other modules of the package import from it."""
    taken: dict[str, set[str]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module in IMPORTABLE:
                taken.setdefault(node.module, set()).update(alias.name for alias in node.names)
    names_only = {
        module: {name for name in names if f"{module}.{name}" not in IMPORTABLE}
        for module, names in taken.items()
    }
    return {module: names for module, names in names_only.items() if names}


def our_entry_points(group: str) -> list[EntryPoint]:
    return [point for point in entry_points(group=group) if point.module.startswith("whotests.")]


def test_the_version_is_the_same_everywhere() -> None:
    """`whotests.__version__` is the version that the package is installed under."""
    assert whotests.__version__ == version("whotests")


def test_the_package_is_typed() -> None:
    """Type checkers of users read our annotations: the marker is installed."""
    assert (ROOT / "py.typed").is_file()


def test_it_requires_the_python_that_it_is_tested_on() -> None:
    """The metadata asks for 3.11 and later, and for few things else."""
    metadata = distribution("whotests").metadata
    assert metadata["Requires-Python"] == ">=3.11"
    required = {
        re.split(r"[^\w-]", requirement)[0]
        for requirement in metadata.get_all("Requires-Dist") or []
        if "extra ==" not in requirement
    }
    assert required == {"click", "rich"}


def test_the_licence_is_in_the_package() -> None:
    """The distribution says MIT and brings the text along."""
    package = distribution("whotests")
    assert package.metadata["License-Expression"] == "MIT"
    assert package.metadata.get_all("License-File") == ["LICENSE"]


@pytest.mark.parametrize("group", ["console_scripts", "pytest11"])
def test_entry_points_load(group: str) -> None:
    """The command and the pytest plugin that the metadata names exist."""
    points = our_entry_points(group)
    assert [point.name for point in points] == ["whotests"]
    assert points[0].load() is not None


@pytest.mark.parametrize(("blocks", "told"), [("", in_c is not None), ("python", False)])
def test_the_command_tells_its_version(blocks: str, told: bool) -> None:
    """The installed command starts, names the version, and says whether it has its C extension."""
    command = shutil.which("whotests", path=sysconfig.get_path("scripts"))
    assert command is not None
    done = subprocess.run(
        [command, "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "WHOTESTS_BLOCKS": blocks},
    )
    has = "with" if told else "without"
    assert done.stdout == f"whotests {whotests.__version__}, {has} C extension\n"


@pytest.mark.parametrize("name", IMPORTABLE)
def test_listed_names_exist(name: str) -> None:
    """`__all__` lists every name once, and only names that the module has."""
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", [])
    assert len(listed) == len(set(listed))
    assert [word for word in listed if not hasattr(module, word)] == []


@pytest.mark.parametrize("name", sorted(taken_from_others()))
def test_what_others_use_is_listed(name: str) -> None:
    """A name that another module imports is in the `__all__` of the module that has it."""
    module = importlib.import_module(name)
    assert sorted(taken_from_others()[name] - set(module.__all__)) == []


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_modules_stay_small(path: Path) -> None:
    """A module holds one noun: none is longer than the limit."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("name", IMPORTABLE)
def test_modules_say_what_they_are(name: str) -> None:
    """Every module begins with a docstring."""
    assert (importlib.import_module(name).__doc__ or "").strip()
