"""The `.pth` file that lets children record is installed with the package, in either way."""

import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

import whotests
from whotests.recording.handover import VARIABLE

NAME = "whotests_children.pth"
PROJECT = Path(whotests.__file__).parents[2]


def test_it_is_beside_the_installed_package() -> None:
    """It is where the interpreter of these tests looks for such files, and belongs to us."""
    assert (Path(sysconfig.get_path("purelib")) / NAME).is_file()
    files = distribution("whotests").files or []
    assert NAME in {str(file) for file in files}


@pytest.mark.parametrize("way", ["build_wheel", "build_editable"])
def test_each_way_of_installing_has_it(way: str, tmp_path: Path) -> None:
    """`pip install .` and `pip install -e .` make wheels with the file at their top."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    pytest.importorskip("setuptools", reason="setuptools is not installed")
    if not (PROJECT / "pyproject.toml").is_file():
        pytest.skip("the package is not installed from its sources")
    code = f"import hatchling.build as build; build.{way}({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(NAME).decode()
    assert text == (PROJECT / "src" / NAME).read_text()


def test_it_does_nothing_without_our_variable() -> None:
    """It is one line, and an interpreter that nobody measures imports nothing of ours."""
    text = (Path(sysconfig.get_path("purelib")) / NAME).read_text()
    assert len(text.splitlines()) == 1
    assert VARIABLE in text
    code = "import sys; print([name for name in sys.modules if 'whotests' in name])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("value", ["", "nonsense", "00", "e9", "7b7d"])
def test_a_variable_that_is_not_ours_does_no_harm(value: str) -> None:
    """Whatever the variable says, the program runs, sees it not, and nothing is printed."""
    code = f"import os; print({VARIABLE!r} in os.environ)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={VARIABLE: value},
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_children_that_run_nothing_of_ours_import_next_to_nothing() -> None:
    """A child of a measured process imports a few small modules, and none of the library's."""
    from whotests.recording.handover import Handover

    text = Handover(plan="/nowhere", run=1, source=("/nowhere/product",)).to_text()
    code = "import sys; print(*sys.modules)"
    seen = []
    for env in ({}, {VARIABLE: text}):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env=env,
        )
        seen.append(set(done.stdout.split()))
    more = {name for name in seen[1] - seen[0] if not name.startswith("whotests")}
    assert more <= {"atexit", "__future__"}
    assert len(seen[1] - seen[0] - more) <= 12
