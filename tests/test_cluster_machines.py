"""What a machine must have for the tests of a project, and what is shipped to it."""

import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from dask_clusters import dask_cluster
from measured_commands import write_files
from tested_commands import run_tests
from whotests import __version__
from whotests.errors import UsageError
from whotests.hosts.task import Suite
from whotests.recording.plan import Plan
from whotests.runner.assignment import Brief
from whotests.runner.cluster.archive import folders_imported_from, packed
from whotests.runner.cluster.moved import Move
from whotests.runner.cluster.project_files import files_of, names_imported
from whotests.runner.cluster.requirements import Environment, environment_here
from whotests.runner.cluster.survey import survey
from whotests.runner.cluster.tree import Tree

HERE = Environment(
    python="3.12.4",
    implementation="CPython",
    platform="linux",
    distributions={"attrs": "25.1", "pytest": "9.1"},
)


def there(**other: Any) -> dict[str, Any]:
    """A machine that is like this one but for what is given."""
    return {
        "python": "3.12.9",
        "implementation": "CPython",
        "platform": "linux",
        "executable": "/opt/python",
        "problem": "",
        "distributions": {"whotests": __version__, "attrs": "25.1", "pytest": "9.1", "x": "1"},
    } | other


def test_a_machine_like_this_one_fits() -> None:
    """Another patch release of Python and further distributions make no difference."""
    unfit = HERE.unfit(there())
    assert (unfit.refused, unfit.notes) == ((), ())


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"python": "3.11.2"}, "it has CPython 3.11.2, and this command runs on CPython 3.12.4"),
        ({"implementation": "PyPy"}, "it has PyPy 3.12.9"),
        ({"problem": "no space"}, "its temporary folder cannot be used: no space"),
        (
            {"distributions": {"attrs": "25.1", "pytest": "9.1"}},
            f"it has no whotests; install whotests {__version__} there",
        ),
        (
            {"distributions": {"whotests": "0.0", "attrs": "25.1", "pytest": "9.1"}},
            "it has whotests 0.0; install",
        ),
        (
            {"distributions": {"whotests": __version__, "attrs": "25.1"}},
            "it lacks pytest, which the tests need; there, run "
            "`/opt/python -m pip install 'pytest==9.1'`",
        ),
    ],
)
def test_a_machine_that_lacks_something_is_refused(other: dict[str, Any], why: str) -> None:
    """The reason names what is missing, its version, and what to do."""
    [reason] = HERE.unfit(there(**other)).refused
    assert why in reason


def test_other_versions_are_told() -> None:
    """Tests may end otherwise with them, but they run."""
    versions = {"whotests": __version__, "attrs": "24.0", "pytest": "9.1"}
    unfit = HERE.unfit(there(distributions=versions, platform="darwin"))
    assert unfit.refused == ()
    assert unfit.notes == (
        "it has other versions of what the tests need: attrs 24.0 (here 25.1)",
        "its platform is darwin, and here it is linux",
    )


def test_what_tests_need_is_what_the_project_imports(tmp_path: Path) -> None:
    """Distributions of imported modules, what these require, and pytest's plugins; not the
    standard library, not what is only installed."""
    write_files(
        tmp_path,
        {
            "a.py": "import os, hypothesis.strategies as s\n",
            "b/c.py": "if 1:\n  from twisted import x\n",
        },
    )
    names = names_imported(tmp_path, files_of(tmp_path))
    assert {"os", "hypothesis", "twisted"} <= names
    needed = environment_here(names, root=tmp_path, hosts=["pytest"]).distributions
    assert {"hypothesis", "sortedcontainers", "twisted", "zope-interface", "pytest"} <= set(needed)
    assert {"ruff", "distributed", "whotests"}.isdisjoint(needed)
    alone = environment_here({"os"}, root=tmp_path, hosts=["unittest"])
    assert alone.distributions == {}


def test_a_survey_of_this_machine_fits_it(tmp_path: Path) -> None:
    """What the survey tells is what is compared, and it runs without anything of ours."""
    token = tmp_path / "token"
    token.write_text("secret")
    text = Path(sys.modules["whotests.runner.cluster.survey"].__file__ or "").read_text()
    names: dict[str, Any] = {"__name__": "elsewhere"}
    exec(text, names)
    told = names["survey"](str(token), str(tmp_path))
    assert told == survey(str(token), str(tmp_path))
    assert told["seen"] == "secret"
    assert names["survey"](str(token), str(tmp_path / "none"))["seen"] == ""
    here = environment_here({"pytest", "click"}, root=tmp_path, hosts=["pytest"])
    assert here.unfit(told).refused == ()


def test_files_are_those_that_git_would_take(tmp_path: Path) -> None:
    """Known ones, new ones, and modules that a build left beside them; nothing that is ignored
    otherwise."""
    write_files(
        tmp_path,
        {
            ".gitignore": "_version.py\n*.so\nbuild/\nsecret.txt\n",
            "pkg/__init__.py": "",
            "pkg/_version.py": "",
            "pkg/fast.so": "",
            "pkg/secret.txt": "",
            "build/lib/pkg/__init__.py": "",
            "deleted.py": "",
        },
    )
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "pkg/__init__.py", "deleted.py"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    (tmp_path / "deleted.py").unlink()
    write_files(tmp_path, {"new.py": "", ".whotests/data.db": "", "pkg/__pycache__/a.pyc": ""})
    assert files_of(tmp_path) == [
        ".gitignore",
        "new.py",
        "pkg/__init__.py",
        "pkg/_version.py",
        "pkg/fast.so",
    ]


def test_without_git_files_of_tools_are_left_out(tmp_path: Path) -> None:
    """Environments, caches and our own data are no part of the project."""
    write_files(
        tmp_path,
        {
            "a.py": "",
            "sub/b.txt": "",
            "env/pyvenv.cfg": "",
            "env/lib/c.py": "",
            ".tox/py/d.py": "",
            ".whotests/data.db": "",
            "__pycache__/a.pyc": "",
        },
    )
    # The folder of these tests may be within a repository of its own.
    assert files_of(tmp_path) == ["a.py", "sub/b.txt"]


def test_an_archive_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    """Times of files do not count; their content and whether they can be run do."""
    write_files(tmp_path, {"a.py": "1\n", "b.sh": "echo\n"})
    one = packed(tmp_path, ["a.py", "b.sh", "gone.py"], most=1 << 20)
    os.utime(tmp_path / "a.py", (1, 1))
    same = packed(tmp_path, ["b.sh", "a.py"], most=1 << 20)
    assert one.digest == same.digest
    (tmp_path / "b.sh").chmod(0o755)
    other = packed(tmp_path, ["a.py", "b.sh"], most=1 << 20)
    assert other.digest != one.digest
    with zipfile.ZipFile(BytesIO(other.octets)) as archive:
        assert archive.namelist() == ["a.py", "b.sh"]


def test_too_much_is_not_shipped(tmp_path: Path) -> None:
    """The error names the limit, and what to do."""
    (tmp_path / "big.bin").write_bytes(os.urandom(2 << 20))
    with pytest.raises(UsageError, match=r"more than 1 MiB .* --cluster-source shared"):
        packed(tmp_path, ["big.bin"], most=1 << 20)


def test_a_tree_is_unpacked_once_and_goes_with_its_last_process(tmp_path: Path) -> None:
    """Two of one run share the source; modes are kept; a folder that nobody holds goes."""
    write_files(tmp_path / "project", {"run.sh": "echo\n"})
    (tmp_path / "project" / "run.sh").chmod(0o755)
    archive = packed(tmp_path / "project", ["run.sh"], most=1 << 20)
    base = tmp_path / "base"
    (base / "runs" / "left").mkdir(parents=True)
    (base / "runs" / "left" / "lock").touch()
    one, other = Tree.of(base, "run"), Tree.of(base, "run")
    assert not (base / "runs" / "left").exists()
    one.unpack(archive.digest, archive.octets)
    before = (one.source / "run.sh").stat()
    assert before.st_mode & 0o111
    other.unpack(archive.digest, archive.octets)
    assert (other.source / "run.sh").stat().st_ino == before.st_ino
    one.close()
    assert other.source.is_dir()
    other.close()
    assert list((base / "runs").iterdir()) == []


def test_paths_are_moved_with_their_folders() -> None:
    """Those of the project and of libraries change, whatever begins alike does not."""
    move = Move([("/home/me/p/venv/lib", "/usr/lib/py"), ("/home/me/p", "/tmp/run/source")])
    assert move.text("/home/me/p/a.py") == "/tmp/run/source/a.py"
    assert move.text("/home/me/p/venv/lib/x.py") == "/usr/lib/py/x.py"
    assert move.text("/home/me/pp/a.py") == "/home/me/pp/a.py"
    assert move.text("tests/test_a.py::test_b") == "tests/test_a.py::test_b"
    brief = Brief(
        run="1",
        root=Path("/home/me/p"),
        cwd=Path("/home/me/p/sub"),
        folder=Path("/home/me/p/.whotests/runs/1"),
        suites=(Suite("pytest", ("/home/me/p/tests",), ("--rootdir=/home/me/p", "-v")),),
        workers=1,
    )
    moved = move.brief(brief)
    assert (moved.root, moved.cwd) == (Path("/tmp/run/source"), Path("/tmp/run/source/sub"))
    assert moved.suites[0].targets == ("/tmp/run/source/tests",)
    assert moved.suites[0].options == ("--rootdir=/tmp/run/source", "-v")
    plan = Plan(
        root=Path("/home/me/p"),
        data=Path("/d.db"),
        cache=Path("/c"),
        source=("/home/me/p/src", "/home/me/p/venv/lib/dep"),
        omit=("/home/me/p/src/old/*", "*/gen_*.py"),
    )
    assert move.plan(plan).source == ("/tmp/run/source/src", "/usr/lib/py/dep")
    assert move.plan(plan).omit == ("/tmp/run/source/src/old/*", "*/gen_*.py")


def test_code_is_imported_from_the_same_folders(tmp_path: Path) -> None:
    """Folders of the project on the path are found again below its root, others are not."""
    (tmp_path / "src").mkdir()
    path = ["", str(tmp_path / "src"), str(tmp_path / "none"), "/usr/lib/python3", str(tmp_path)]
    assert folders_imported_from(tmp_path, path) == ["src", "."]


def test_a_machine_without_a_distribution_gets_no_test(tmp_path: Path) -> None:
    """The command says what the machine lacks, and runs nothing there."""
    only_here = tmp_path / "only-here"
    metadata = "onlyhere-1.5.dist-info"
    write_files(
        only_here,
        {
            "onlyhere.py": "",
            f"{metadata}/METADATA": "Metadata-Version: 2.1\nName: onlyhere\nVersion: 1.5\n",
            f"{metadata}/top_level.txt": "onlyhere\n",
            f"{metadata}/RECORD": "onlyhere.py,,\n",
        },
    )
    project = tmp_path / "project"
    write_files(
        project,
        {"pytest.ini": "[pytest]\n", "test_it.py": "import onlyhere\ndef test_it(): pass\n"},
    )
    with dask_cluster(tmp_path / "dask", workers=1, TMPDIR=str(tmp_path)) as cluster:
        words = ("--cluster", cluster.address, "--cluster-patience", "30")
        done = run_tests(*words, cwd=project, PYTHONPATH=str(only_here))
    assert done.status == 2
    assert "it lacks onlyhere, which the tests need" in done.err
    assert "-m pip install 'onlyhere==1.5'" in done.err
    assert done.verdicts == {}
