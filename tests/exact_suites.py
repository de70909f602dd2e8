"""Real suites that come with their tests in their source archives, to be run and compared.

Every version is pinned, so that the differences that are named here stay what they are.
"""

import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SUITES", "Suite", "fetch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One project and what is measured of it."""

    name: str
    version: str
    source: tuple[str, ...]
    """Folders of the archive that are measured."""
    path: str
    """The folder that has to be importable."""
    tests: tuple[str, ...]
    """What pytest is given."""
    needs: tuple[str, ...] = ()
    """What else the tests import."""
    least: int
    """Facts of lines that there are at the least."""
    least_branches: int
    """Facts of branches."""
    chance: frozenset[tuple[str, str]] = frozenset()
    """File and text of lines of which chance decides in which tests they run."""
    branches_by_chance: frozenset[tuple[str, str]] = frozenset()
    """The same of lines that branch."""


SUITES = (
    Suite(
        name="jinja2",
        version="3.1.6",
        source=("src/jinja2", "tests"),
        path="src",
        tests=("tests",),
        needs=("markupsafe==3.0.4", "trio==0.35.0"),
        least=600_000,
        least_branches=200_000,
        chance=frozenset(
            {
                # Words are drawn at random.
                ("src/jinja2/utils.py", 'p_str = p_str[:-1] + "."'),
                ("src/jinja2/utils.py", 'p_str += "."'),
                ("src/jinja2/utils.py", 'elif not p_str.endswith("."):'),
                ("src/jinja2/utils.py", 'word += ","'),
                ("src/jinja2/utils.py", 'word += "."'),
                ("src/jinja2/utils.py", "last_comma = idx"),
                ("src/jinja2/utils.py", "last_fullstop += 2"),
                ("src/jinja2/utils.py", "last_comma = last_fullstop = idx"),
                ("src/jinja2/utils.py", "next_capitalized = True"),
                # A weak reference's callback, and a generator that is closed: in the test in
                # which the garbage collector comes by.
                ("src/jinja2/loaders.py", "sys.modules[package_name] = weakref.proxy("),
                ("src/jinja2/environment.py", "except Exception:"),
            }
        ),
        branches_by_chance=frozenset(
            {
                ("src/jinja2/utils.py", "if word != last:"),
                ("src/jinja2/utils.py", "if next_capitalized:"),
                ("src/jinja2/utils.py", "if idx - randrange(3, 8) > last_comma:"),
                ("src/jinja2/utils.py", "if idx - randrange(10, 20) > last_fullstop:"),
                ("src/jinja2/utils.py", 'if p_str.endswith(","):'),
                ("src/jinja2/utils.py", 'elif not p_str.endswith("."):'),
            }
        ),
    ),
    Suite(
        name="more-itertools",
        version="10.5.0",
        source=("more_itertools", "tests"),
        path=".",
        # The callbacks of those left out come from another thread, at their own pace.
        tests=(
            "tests/test_recipes.py",
            "tests/test_more.py",
            "--deselect=tests/test_more.py::CallbackIterTests",
        ),
        least=9_000,
        least_branches=1_000,
    ),
    Suite(
        name="sqlparse",
        version="0.5.5",
        source=("sqlparse", "tests"),
        path=".",
        # What is left out starts a process, which coverage.py would file under no test.
        tests=("tests", "--deselect=tests/test_cli.py::test_script"),
        least=100_000,
        least_branches=10_000,
    ),
)


def fetch(suite: Suite, folder: Path) -> Path:
    """The unpacked source archive of a suite, kept in `folder`; what it needs lies beside it
    in `needs`. Raises CalledProcessError without a package index."""
    place = folder / f"{suite.name}-{suite.version}"
    if not place.exists():
        archive = folder / "archives" / suite.name
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
        requirement = f"{suite.name}=={suite.version}"
        options = ("--no-deps", "--no-binary", ":all:", "--dest", str(archive))
        subprocess.run([*pip, "download", *options, requirement], check=True)
        if suite.needs:
            target = ("--target", str(folder / "needs"), "--upgrade")
            subprocess.run([*pip, "install", *target, *suite.needs], check=True)
        unpacked = folder / "unpacked" / suite.name
        with tarfile.open(next(archive.glob("*.tar.gz"))) as file:
            file.extractall(unpacked, filter="data")
        next(unpacked.iterdir()).rename(place)
    return place
