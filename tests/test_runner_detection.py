"""Targets: which host runs what, by the project's files alone."""

import sys
from pathlib import Path

import pytest

from measured_commands import write_files
from whotests.config.settings import load_settings
from whotests.errors import UsageError
from whotests.runner.detection.detecting import Detected, detected_suites
from whotests.runner.detection.targets import Target, parsed_target
from whotests.runner.wanted import Wanted

PYTEST_TESTS = "import pytest\n\ndef test_it(): pass\n"
PLAIN_TESTS = "def test_it(): assert 1\n"
UNITTEST_TESTS = "import unittest\n\nclass A(unittest.TestCase):\n    def test_it(self): pass\n"
TRIAL_TESTS = UNITTEST_TESTS.replace("import unittest", "from twisted.trial import unittest")
HOSTILE = "raise SystemExit('a test file was imported')\n"


def detected(folder: Path, *targets: str, words: tuple[str, ...] = ()) -> Detected:
    """What the targets stand for, typed in that folder."""
    wanted = Wanted(targets=targets, words=words)
    return detected_suites(wanted, settings=load_settings(folder), cwd=folder)


def hosts(folder: Path, *targets: str) -> dict[str, tuple[str, ...]]:
    """Targets by host."""
    return {suite.host: suite.targets for suite in detected(folder, *targets).suites}


def project(folder: Path, files: dict[str, str]) -> Path:
    """The folder, with these files and a .git."""
    write_files(folder, {".git/HEAD": "", **files})
    return folder


# -- targets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "target"),
    [
        ("tests", Target("", "tests")),
        ("trial:a.b", Target("trial", "a.b")),
        ("pytest:tests/test_a.py::test_b", Target("pytest", "tests/test_a.py::test_b")),
        ("tests/test_a.py::test_b", Target("", "tests/test_a.py::test_b")),
        ("test_a.py::test_b[x:y]", Target("", "test_a.py::test_b[x:y]")),
        ("django:", Target("django", "")),
        ("C:\\tests", Target("", "C:\\tests")),
    ],
)
def test_a_target_is_read(word: str, target: Target) -> None:
    """A host may stand in front; colons of ids and of Windows' drives are none of it."""
    assert parsed_target(word) == target


@pytest.mark.parametrize("word", ["", " ", "nose:tests"])
def test_a_target_that_is_none(word: str) -> None:
    """Nothing, and a host that there is not, are refused."""
    with pytest.raises(UsageError, match=r"empty|pytest, unittest, trial, django"):
        parsed_target(word)


# -- configuration ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", ""),
        ("pytest.toml", ""),
        (".pytest.ini", ""),
        ("pyproject.toml", "[tool.pytest.ini_options]\n"),
        ("pyproject.toml", "[tool.pytest]\n"),
        ("tox.ini", "[pytest]\n"),
        ("setup.cfg", "[tool:pytest]\n"),
        ("conftest.py", HOSTILE),
        ("tests/conftest.py", HOSTILE),
    ],
)
def test_a_configuration_of_pytest(tmp_path: Path, name: str, text: str) -> None:
    """Wherever pytest is configured it runs all tests, cases of unittest and trial included."""
    project(tmp_path, {name: text, "tests/test_a.py": TRIAL_TESTS})
    assert hosts(tmp_path) == {"pytest": ()}
    assert hosts(tmp_path, "tests/test_a.py") == {"pytest": ("tests/test_a.py",)}
    assert hosts(tmp_path / "tests") == {"pytest": ()}
    assert name.rpartition("/")[2] in detected(tmp_path).reasons[0]


def test_files_that_speak_of_other_tools(tmp_path: Path) -> None:
    """tox.ini, setup.cfg and pyproject.toml without a section of pytest's say nothing."""
    project(
        tmp_path,
        {
            "tox.ini": "[tox]\nenvlist = py\n",
            "setup.cfg": "[metadata]\nname = x\n",
            "pyproject.toml": "[project]\nname = 'x'\n",
            "test_a.py": UNITTEST_TESTS,
        },
    )
    assert hosts(tmp_path) == {"unittest": ()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".stestr.conf", "[DEFAULT]\ntest_path=./shop/tests\ntop_dir=./\n"),
        ("pyproject.toml", "[tool.stestr]\ntest_path = 'shop/tests'\n"),
        ("tox.ini", "[stestr]\ntest_path=shop/tests\n"),
        (
            ".testr.conf",
            "[DEFAULT]\n"
            "test_command=python -m subunit.run discover -t ./ ./shop/tests $LISTOPT $IDOPTION\n",
        ),
    ],
)
def test_a_configuration_of_stestr(tmp_path: Path, name: str, text: str) -> None:
    """unittest's loader begins where stestr's, or testrepository's, would."""
    project(tmp_path, {name: text, "shop/tests/test_a.py": UNITTEST_TESTS})
    (suite,) = detected(tmp_path).suites
    assert (suite.host, suite.targets) == ("unittest", ("shop/tests",))
    assert suite.options == ("-t", str(tmp_path))


@pytest.mark.parametrize(
    ("said", "set_to", "looked_in"),
    [
        ("${SHOP_TESTS:-./shop/unit}", None, "shop/unit"),
        ("${SHOP_TESTS:-./shop/unit}", "", "shop/unit"),
        ("${SHOP_TESTS:-./shop/unit}", "./shop/slow", "shop/slow"),
        ("${SHOP_TESTS-shop/unit}", "", "."),
        ("./${SHOP_TESTS}", "shop/slow", "shop/slow"),
        ("$SHOP_TESTS/unit", "shop", "shop/unit"),
    ],
)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".stestr.conf", "[DEFAULT]\ntest_path={}\ntop_dir=./\n"),
        (
            ".testr.conf",
            "[DEFAULT]\n"
            "test_command=${{PYTHON:-python}} -m subunit.run discover -t ./ {} "
            "$LISTOPT $IDOPTION\n",
        ),
    ],
)
def test_variables_in_a_configuration_of_stestr(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
    said: str,
    set_to: str | None,
    looked_in: str,
) -> None:
    """A path is what the shell would make of it, through which stestr reads it."""
    monkeypatch.delenv("SHOP_TESTS", raising=False)
    if set_to is not None:
        monkeypatch.setenv("SHOP_TESTS", set_to)
    tests = ("shop/unit/test_a.py", "shop/slow/test_b.py")
    project(tmp_path, {name: text.format(said), **dict.fromkeys(tests, UNITTEST_TESTS)})
    (suite,) = detected(tmp_path).suites
    assert (suite.host, suite.targets) == ("unittest", (looked_in,))


def test_the_file_of_stestr_counts_before_pyproject(tmp_path: Path) -> None:
    """As for stestr itself, `.stestr.conf` hides what pyproject.toml says of stestr."""
    project(
        tmp_path,
        {
            ".stestr.conf": "[DEFAULT]\ntest_path=a\n",
            "pyproject.toml": "[tool.stestr]\ntest_path = 'b'\n",
            "a/test_a.py": UNITTEST_TESTS,
            "b/test_b.py": UNITTEST_TESTS,
        },
    )
    (suite,) = detected(tmp_path).suites
    assert suite.targets == ("a",)


def test_a_command_of_testrepository_that_does_not_discover(tmp_path: Path) -> None:
    """A command that only has the word in a name is not read as one of discovery."""
    project(
        tmp_path,
        {
            ".testr.conf": "[DEFAULT]\ntest_command=python tools/discover.py $LISTOPT\n",
            "test_a.py": UNITTEST_TESTS,
        },
    )
    assert hosts(tmp_path) == {"unittest": ()}


def test_a_configuration_of_stestr_that_is_wrong(tmp_path: Path) -> None:
    """A folder that is not there is named, with the file that speaks of it."""
    project(tmp_path, {".stestr.conf": "[DEFAULT]\ntest_path=./gone\n"})
    with pytest.raises(UsageError, match=r"\.stestr\.conf.*gone"):
        detected(tmp_path)


def test_django_is_found_by_its_manage_py(tmp_path: Path) -> None:
    """A project with manage.py is run by Django, what is named in it, too."""
    pytest.importorskip("django")
    manage = "import django.core.management\n"
    project(tmp_path, {"manage.py": manage, "shop/tests.py": HOSTILE, "shop/__init__.py": ""})
    assert hosts(tmp_path) == {"django": ()}
    assert hosts(tmp_path, "shop.tests") == {"django": ("shop.tests",)}
    assert hosts(tmp_path, "shop") == {"django": ("shop",)}


def test_the_setting_tests(tmp_path: Path) -> None:
    """[tool.whotests] tests are the targets where none is given, seen from the root."""
    targets = ["tests", "unittest:shop.test", "pytest:more/test_b.py::test_it"]
    project(
        tmp_path,
        {
            "pyproject.toml": f"[tool.whotests]\ntests = {targets}\n",
            "tests/test_a.py": PLAIN_TESTS,
            "shop/__init__.py": "",
            "shop/test/__init__.py": "",
            "more/test_b.py": PLAIN_TESTS,
        },
    )
    found = {"pytest": ("tests", "more/test_b.py::test_it"), "unittest": ("shop.test",)}
    assert hosts(tmp_path) == found
    below = {"pytest": ("../tests", "../more/test_b.py::test_it"), "unittest": ("shop.test",)}
    assert hosts(tmp_path / "shop") == below
    assert hosts(tmp_path, "more") == {"pytest": ("more",)}


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A configuration with a mistake in it is named."""
    project(tmp_path, {"tox.ini": "envlist = py\n"})
    with pytest.raises(UsageError, match=r"tox\.ini"):
        detected(tmp_path)


# -- what files are written for --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (PYTEST_TESTS, "pytest"),
        (PLAIN_TESTS, "pytest"),
        ("async def test_it(): ...\n", "pytest"),
        ("class TestA:\n    def test_it(self): assert 1\n", "pytest"),
        ("try:\n    import pytest\nexcept ImportError:\n    pytest = None\n", "pytest"),
        (UNITTEST_TESTS, "unittest"),
        (UNITTEST_TESTS + PLAIN_TESTS, "pytest"),
        (UNITTEST_TESTS + "def test_data(n): return n\n", "unittest"),
        (UNITTEST_TESTS + "def test_suite(): ...\n", "unittest"),
        (UNITTEST_TESTS + "class TestMixin:\n    def test_it(self): self.fail()\n", "unittest"),
        ("from testtools import TestCase\nclass A(TestCase): ...\n", "unittest"),
        ("from django.test import TestCase\nclass A(TestCase): ...\n", "unittest"),
        ("def load_tests(*args): ...\n", "unittest"),
        (TRIAL_TESTS, "trial"),
        ("import twisted.trial.unittest as u\nclass A(u.TestCase): ...\n", "trial"),
        (
            "if True:\n    from twisted.trial.unittest import TestCase as T\nclass A(T): ...\n",
            "trial",
        ),
        ("# from twisted.trial import unittest\n" + UNITTEST_TESTS, "unittest"),
        ("'''\nimport pytest\n'''\n" + UNITTEST_TESTS, "unittest"),
        ("from twisted.trial import unittest\nthis is no Python\n", "trial"),
        ("import unittest\nthis is no Python\n", "unittest"),
        ("\0", "unittest"),
    ],
)
def test_what_a_file_is_written_for(tmp_path: Path, text: str, host: str) -> None:
    """A file's own text tells its host, alone and as the only one of the project."""
    project(tmp_path, {"test_a.py": "" if text == "\0" else text})
    if text == "\0":
        (tmp_path / "test_a.py").write_bytes(b"\0\xff import unittest")
    assert list(hosts(tmp_path, "test_a.py")) == [host]
    assert hosts(tmp_path) == ({"trial": ("test_a.py",)} if host == "trial" else {host: ()})


@pytest.mark.parametrize("base", ["from .base import Case", "from shop.base import *"])
def test_base_classes_are_followed(tmp_path: Path, base: str) -> None:
    """A base class of the project's own tells what it is derived from, over several modules."""
    project(
        tmp_path,
        {
            "shop/__init__.py": "",
            "shop/base.py": "from shop.deeper import Deeper\nclass Case(Deeper): ...\n",
            "shop/deeper.py": "import twisted.trial.unittest\n"
            "Base = twisted.trial.unittest.TestCase\nclass Deeper(Base): ...\n",
            "shop/test_a.py": f"{base}\nclass A(Case):\n    def test_it(self): pass\n",
        },
    )
    assert hosts(tmp_path, "shop/test_a.py") == {"trial": ("shop/test_a.py",)}
    assert hosts(tmp_path, "shop.test_a.A.test_it") == {"trial": ("shop.test_a.A.test_it",)}
    assert hosts(tmp_path) == {"trial": ("shop",)}
    assert hosts(tmp_path / "shop") == {"trial": ("test_a.py",)}


def test_modules_that_import_each_other(tmp_path: Path) -> None:
    """Classes that are derived from each other in a circle come to an end."""
    project(
        tmp_path,
        {
            "a.py": "from b import B\nclass A(B): ...\n",
            "b.py": "from a import A\nclass B(A): ...\n",
            "test_a.py": "from a import A\nclass T(A):\n    def test_it(self): self.fail()\n",
        },
    )
    assert list(hosts(tmp_path, "test_a.py")) == ["unittest"]


def test_a_project_of_several_kinds(tmp_path: Path) -> None:
    """Where trial's tests and pytest's are side by side, each host gets its own, in as few
    targets as will do; test cases of unittest go to trial."""
    project(
        tmp_path,
        {
            "a/__init__.py": "",
            "a/test_1.py": TRIAL_TESTS,
            "a/test_2.py": UNITTEST_TESTS,
            "b/test_3.py": PLAIN_TESTS,
            "b/test_4.py": PYTEST_TESTS,
            "c/__init__.py": "",
            "c/test_5.py": PLAIN_TESTS,
            "c/test_6.py": TRIAL_TESTS,
        },
    )
    assert hosts(tmp_path) == {"pytest": ("b", "c/test_5.py"), "trial": ("a", "c/test_6.py")}
    # A single file is run by the host that runs it beside the others, under the same ids.
    assert hosts(tmp_path, "a/test_2.py") == {"trial": ("a/test_2.py",)}
    assert hosts(tmp_path, "a.test_2.A") == {"trial": ("a.test_2.A",)}


def test_test_cases_beside_tests_of_pytest(tmp_path: Path) -> None:
    """pytest runs both, and each of them under the same ids when it is named."""
    project(tmp_path, {"test_1.py": PLAIN_TESTS, "test_2.py": UNITTEST_TESTS})
    assert hosts(tmp_path) == {"pytest": ()}
    assert hosts(tmp_path, "test_2.py") == {"pytest": ("test_2.py",)}
    assert hosts(tmp_path, "test_2.py::A::test_it") == {"pytest": ("test_2.py::A::test_it",)}


def test_where_unittest_begins(tmp_path: Path) -> None:
    """Discovery begins at each folder from which files of tests can be imported."""
    project(
        tmp_path,
        {
            "tests/test_1.py": UNITTEST_TESTS,
            "src/shop/__init__.py": "",
            "src/shop/test/__init__.py": "",
            "src/shop/test/test_2.py": UNITTEST_TESTS,
        },
    )
    assert hosts(tmp_path) == {"unittest": ("src", "tests")}
    assert hosts(tmp_path, "unittest:") == {"unittest": ("src", "tests")}


def test_folders_that_are_no_part_of_the_project(tmp_path: Path) -> None:
    """Environments, hidden folders and what tools have built are not looked into."""
    project(
        tmp_path,
        {
            "env/pyvenv.cfg": "",
            "env/lib/test_1.py": PYTEST_TESTS,
            ".tox/test_1.py": PYTEST_TESTS,
            "build/lib/test_1.py": PYTEST_TESTS,
            "node_modules/x/test_1.py": PYTEST_TESTS,
            "test_2.py": UNITTEST_TESTS,
        },
    )
    assert hosts(tmp_path) == {"unittest": ()}


def test_nothing_is_imported(tmp_path: Path) -> None:
    """To find out, no line of the project is run."""
    project(
        tmp_path,
        {
            "conftest.py": HOSTILE,
            "shop/__init__.py": HOSTILE,
            "shop/test_a.py": HOSTILE + UNITTEST_TESTS,
        },
    )
    before = set(sys.modules)
    assert hosts(tmp_path, "shop.test_a", "shop", "shop/test_a.py")
    assert not {name for name in set(sys.modules) - before if name.startswith("shop")}


# -- what is named ---------------------------------------------------------------------------


def test_several_targets(tmp_path: Path) -> None:
    """One suite per host, targets in the order in which they came, each once."""
    project(
        tmp_path,
        {
            "a/test_1.py": PLAIN_TESTS,
            "b/__init__.py": "",
            "b/test_2.py": TRIAL_TESTS,
            "doc/page.txt": ">>> 1\n1\n",
        },
    )
    assert hosts(tmp_path, "a", "b.test_2", "doc/page.txt", "a", "b") == {
        "pytest": ("a", "doc/page.txt"),
        "trial": ("b.test_2", "b"),
    }


def test_a_host_that_is_named_is_asked(tmp_path: Path) -> None:
    """Whatever the configuration says."""
    project(tmp_path, {"pytest.ini": "", "tests/test_a.py": UNITTEST_TESTS})
    assert hosts(tmp_path, "unittest:tests") == {"unittest": ("tests",)}
    assert hosts(tmp_path, "unittest:tests/test_a.py", "tests") == {
        "unittest": ("tests/test_a.py",),
        "pytest": ("tests",),
    }
    assert hosts(tmp_path, "pytest:", "pytest:tests") == {"pytest": ()}


def test_paths_are_seen_from_the_root_too(tmp_path: Path) -> None:
    """What --list prints in the root is found in a folder below it."""
    project(tmp_path, {"pytest.ini": "", "tests/test_a.py": PLAIN_TESTS, "shop/x.py": ""})
    shown = hosts(tmp_path / "shop", "tests/test_a.py::test_it")
    assert shown == {"pytest": ("../tests/test_a.py::test_it",)}


def test_a_module_of_pytests_tests_by_its_name(tmp_path: Path) -> None:
    """A dotted name of what is written for pytest becomes a path and what is in it."""
    for init in ({}, {"tests/__init__.py": ""}):
        project(tmp_path, {**init, "tests/test_a.py": PLAIN_TESTS})
        assert hosts(tmp_path, "tests.test_a.test_it") == {"pytest": ("tests/test_a.py::test_it",)}


def test_installed_modules() -> None:
    """Suites that are installed are found by their dotted names."""
    pytest.importorskip("twisted")
    found = hosts(Path("/"), "twisted.trial.test.test_tests", "unittest")
    assert found["trial"] == ("twisted.trial.test.test_tests",)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("test_b.py", "no file or folder 'test_b.py' in .*near to it: test_a.py"),
        ("nope", "no module 'nope' there, in 'src' or installed"),
        ("test_b.py::test_it", "no test is called 'test_b.py::test_it'"),
        ("unittest:nope.x", "no test is called 'unittest:nope.x'"),
        ("trial:gone/", "no file or folder 'gone/'"),
        ("a b", "no file or folder 'a b'"),
    ],
)
def test_a_target_that_is_not_there(tmp_path: Path, target: str, said: str) -> None:
    """It is named, with all that was looked for and what is near to it."""
    project(tmp_path, {"test_a.py": PLAIN_TESTS})
    with pytest.raises(UsageError, match=said):
        detected(tmp_path, target)


def test_a_project_without_tests(tmp_path: Path) -> None:
    """It is an error that says what was looked for, and how to say it."""
    project(tmp_path, {"shop/__init__.py": "", "test_data.py": "x = 1\n"})
    with pytest.raises(UsageError, match=r"test\*\.py.*'tests' of \[tool\.whotests\]"):
        detected(tmp_path)


def test_words_for_the_runner_of_the_tests(tmp_path: Path) -> None:
    """pytest gets them where it runs tests, else the one runner there is; of several, none."""
    project(tmp_path, {"a/test_1.py": UNITTEST_TESTS})
    words = ("-m", "slow")
    assert [suite.options for suite in detected(tmp_path, words=words).suites] == [words]
    found = detected(tmp_path, "pytest:a", "unittest:a", words=words)
    assert [suite.options for suite in found.suites] == [words, ()]
    with pytest.raises(UsageError, match="-m slow: words after '--' are for pytest, or for the"):
        detected(tmp_path, "trial:a.test_1", "unittest:a", words=words)


def test_a_host_that_is_not_installed(tmp_path: Path) -> None:
    """It is named with what to install, and why it was wanted."""
    project(tmp_path, {"test_a.py": PYTEST_TESTS})
    with pytest.raises(UsageError, match=r"pytest is not installed.*so is test_a\.py written"):
        detected_suites(Wanted(), settings=load_settings(tmp_path), cwd=tmp_path, path=[])
