"""Choosing, end to end: `whotests test` with what it is asked for, on a project of every kind."""

import json
import re
from pathlib import Path

import pytest

from chosen_commands import WITHOUT_PLUGINS, ran, whotests_test
from measured_commands import recorded_outcomes, run_plain, write_files
from tested_commands import run_tests

PROJECT = {
    "pyproject.toml": "",
    "tests/test_p.py": """
        import pytest

        @pytest.mark.parametrize("n", range(3))
        def test_n(n):
            assert n < 2

        def test_slow():
            pass
        """,
    "cases/__init__.py": "",
    "cases/test_u.py": """
        import unittest

        class U(unittest.TestCase):
            def test_1(self):
                pass

            def test_2(self):
                self.fail("not yet")
        """,
    "shop/__init__.py": "",
    "shop/test_t.py": """
        from twisted.internet import defer
        from twisted.trial import unittest

        class T(unittest.TestCase):
            def test_1(self):
                return defer.succeed(1)
        """,
}
PYTEST_IDS = [f"tests/test_p.py::test_n[{n}]" for n in range(3)] + ["tests/test_p.py::test_slow"]
CASE_IDS = ["cases.test_u.U.test_1", "cases.test_u.U.test_2", "shop.test_t.T.test_1"]
FAILING = ["tests/test_p.py::test_n[2]", "cases.test_u.U.test_2"]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of all kinds, which was run once."""
    folder = tmp_path_factory.mktemp("mixed")
    write_files(folder, PROJECT)
    done = whotests_test(folder, "-v", status=1, measure=True)
    assert sorted(ran(done)) == sorted(PYTEST_IDS + CASE_IDS)
    assert "pytest runs tests: so is tests/test_p.py written" in done.out
    assert "trial runs shop cases: so is shop/test_t.py written" in done.out
    return folder


def test_list_runs_nothing(mixed: Path) -> None:
    """--list prints ids alone, one per line, of all hosts, and the data stay as they are."""
    before = (mixed / ".whotests/data.db").read_bytes()
    done = whotests_test(mixed, "--list", status=0, measure=True)
    assert sorted(done.out.splitlines()) == sorted(PYTEST_IDS + CASE_IDS)
    assert (mixed / ".whotests/data.db").read_bytes() == before


def test_failed_runs_those_that_failed(mixed: Path) -> None:
    """--failed runs what failed when it was run last, of all hosts, by several workers, too."""
    done = whotests_test(mixed, "--failed", "-v", "-j2", status=1)
    assert sorted(ran(done)) == sorted(FAILING)


def test_a_list_with_unknown_ids(mixed: Path, tmp_path: Path) -> None:
    """Each unknown id is a failure by its name, whichever host it would be of; all others run."""
    unknown = ["cases.test_u.U.test_9", "tests/test_p.py::test_9"]
    (tmp_path / "ids").write_text("\n".join([*unknown, PYTEST_IDS[0], CASE_IDS[2]]))
    done = whotests_test(mixed, "--load-list", str(tmp_path / "ids"), "-v", status=1)
    assert sorted(ran(done)) == sorted([*unknown, PYTEST_IDS[0], CASE_IDS[2]])
    assert len(re.findall(r"^failed ", done.out, re.MULTILINE)) == 2


def test_what_list_prints_can_be_loaded(mixed: Path) -> None:
    """The list of a shard is run as it is, in its order."""
    listed = whotests_test(mixed, "--list", "--order", "random:3", status=0).out.splitlines()
    (mixed / "ids").write_text("\n".join(listed))
    done = whotests_test(mixed, "--load-list", "ids", "--order", "list", "-v", status=1)
    for names in (PYTEST_IDS, CASE_IDS):
        in_order = [each for each in ran(done) if each in names]
        assert in_order == [each for each in listed if each in names]


def test_each_test_is_in_one_shard(mixed: Path) -> None:
    """Shards, run one after the other, have each test once and say the same digest."""
    shards = [whotests_test(mixed, "--shard", f"{n}/2", "--list", status=0) for n in (1, 2)]
    assert sorted(line for each in shards for line in each.out.splitlines()) == sorted(
        PYTEST_IDS + CASE_IDS
    )
    digests = {re.findall(r"worked out from (\w+)", each.out + each.err)[0] for each in shards}
    assert len(digests) == 1


def test_ids_are_targets(mixed: Path) -> None:
    """Ids of several hosts, as they were listed, run these tests and no other."""
    done = whotests_test(mixed, PYTEST_IDS[0], CASE_IDS[0], CASE_IDS[2], "-v", status=0)
    assert sorted(ran(done)) == sorted([PYTEST_IDS[0], CASE_IDS[0], CASE_IDS[2]])


def test_a_target_that_is_not_there(mixed: Path) -> None:
    """It is wrong use, told before anything is run."""
    done = whotests_test(mixed, "tests/test_q.py", status=2)
    assert "no file or folder 'tests/test_q.py'" in done.err
    assert "near to it: test_p.py" in done.err


def test_nothing_that_fits(mixed: Path) -> None:
    """No test at all has an exit status of its own, and says what was looked for."""
    done = whotests_test(mixed, "-k", "nothing_like_it", status=5)
    assert "no test was found that fits -k 'nothing_like_it'; looked for pytest: tests" in done.out


def test_words_for_the_runner_of_which_nothing_comes(mixed: Path) -> None:
    """They are named, too: the runner may take them for something else than was meant."""
    done = whotests_test(mixed, "unittest:cases", "--", "-p", "no:randomly", status=5)
    assert "looked for unittest: cases, with -p no:randomly\n" in done.out


def test_random_order_is_repeatable(mixed: Path) -> None:
    """A seed gives one order, and is said; each round has the next seed."""
    words = ("tests", "-v", "--order")
    done = whotests_test(mixed, *words, "random:7", "--repeat", "2", status=1)
    first, second = ran(done)[:4], ran(done)[4:]
    assert sorted(first) == sorted(second) == sorted(PYTEST_IDS)
    assert first != second
    assert "round 1 of 2" in done.out
    assert "--order random:8" in done.out
    assert ran(whotests_test(mixed, *words, "random:8", status=1)) == second


def test_rounds_end_at_the_first_failure(tmp_path: Path) -> None:
    """--until-failure runs again and again, each round in new processes, until one fails."""
    program = """
        from pathlib import Path

        ROUNDS = []

        def test_third_time():
            ROUNDS.append(1)
            assert ROUNDS == [1], "hosts of another round"
            file = Path(__file__).with_name("count")
            count = len(file.read_text()) if file.exists() else 0
            file.write_text("x" * (count + 1))
            assert count < 2
        """
    write_files(tmp_path, {"pyproject.toml": "", "test_a.py": program})
    done = whotests_test(tmp_path, "--until-failure", "-v", status=1)
    assert re.findall(r"^(?:passed|failed)  ", done.out, re.MULTILINE) == [
        "passed  ",
        "passed  ",
        "failed  ",
    ]
    assert (tmp_path / "count").read_text() == "xxx"


def test_the_setting_tests(tmp_path: Path) -> None:
    """Targets of the configuration are run, by the hosts that they name, where none is given."""
    text = '[tool.whotests]\ntests = ["unittest:cases", "tests/test_p.py::test_slow"]\n'
    write_files(tmp_path, {**PROJECT, "pyproject.toml": text})
    done = whotests_test(tmp_path, "-v", status=1)
    assert sorted(ran(done)) == sorted([*CASE_IDS[:2], "tests/test_p.py::test_slow"])
    below = whotests_test(tmp_path / "shop", "-v", status=1)
    assert len(ran(below)) == 3


def test_shards_run_one_after_the_other(tmp_path: Path) -> None:
    """In one folder each shard changes what is known of durations, and still each test is run in
    one of them; --failed stays within its shard."""
    program = """
        import time
        import pytest

        @pytest.mark.parametrize("n", range(8))
        def test_n(n):
            time.sleep(n / 100)
            assert n % 4
        """
    write_files(tmp_path, {"pyproject.toml": "", "test_a.py": program})
    ids = [f"test_a.py::test_n[{n}]" for n in range(8)]
    shards = [whotests_test(tmp_path, "-v", "--shard", f"{n}/3", status=1) for n in (1, 2)]
    failed = [ran(whotests_test(tmp_path, "-v", "--shard", "2/3", "--failed", status=1))]
    shards.append(whotests_test(tmp_path, "-v", "--shard", "3/3", status=0))
    assert sorted(each for done in shards for each in ran(done)) == ids
    assert len({re.findall(r"worked out from (\w+)", each.out)[0] for each in shards}) == 1
    assert set(failed[0]) <= set(ran(shards[1])) & {ids[0], ids[4]}


def test_rounds_are_runs_of_their_own(tmp_path: Path) -> None:
    """A test that fails in one round and passes in the next is flaky in the history, measured or
    not, and what was recorded last is the last round."""
    program = """
        from pathlib import Path

        def test_every_other_time():
            file = Path(__file__).with_name("state")
            if file.exists():
                file.unlink()
            else:
                file.touch()
            assert not file.exists()
        """
    write_files(tmp_path, {"pyproject.toml": "", "test_a.py": program})
    whotests_test(tmp_path, "--repeat", "2", status=1, measure=True)
    assert recorded_outcomes(tmp_path) == {"test_a.py::test_every_other_time": "passed"}
    said = run_plain("whotests", "history", "--json", cwd=tmp_path)
    (flaky,) = json.loads(said.out)["flaky"]
    assert flaky["test"] == "test_a.py::test_every_other_time"


def test_an_order_without_its_list(mixed: Path) -> None:
    """Wrong use is told before anything is run."""
    done = whotests_test(mixed, "--order", "list", "tests", status=2)
    assert (
        done.err == "whotests: --order list is the order of a list: name it by --load-list FILE\n"
    )


def test_ids_that_are_none_are_not_listed(mixed: Path, tmp_path: Path) -> None:
    """--list with a list of unknown ids names these, and lists nothing."""
    (tmp_path / "ids").write_text(f"tests/test_p.py::test_9\n{PYTEST_IDS[0]}\n")
    words = ("tests", "--list", "--load-list", str(tmp_path / "ids"))
    done = whotests_test(mixed, *words, status=2)
    assert "is of no test: tests/test_p.py::test_9" in done.err
    assert done.out == ""


def test_failed_under_a_label(tmp_path: Path) -> None:
    """With a label --failed goes by the runs of that label: what passes elsewhere has not passed
    here."""
    program = """
        import os

        def test_here():
            assert os.environ["WHERE"] == "there"
        """
    write_files(tmp_path, {"pyproject.toml": "", "test_a.py": program})
    words = ("whotests", "test", "-j1", "-v", "--context")
    for label, status in (("here", 1), ("there", 0)):
        done = run_plain(*words, label, cwd=tmp_path, env={"WHERE": label, **WITHOUT_PLUGINS})
        assert done.status == status, done.out + done.err
    done = run_plain(
        *words, "here", "--failed", cwd=tmp_path, env={"WHERE": "here", **WITHOUT_PLUGINS}
    )
    assert ran(done) == ["test_a.py::test_here"]
    done = run_plain(
        *words, "there", "--failed", cwd=tmp_path, env={"WHERE": "there", **WITHOUT_PLUGINS}
    )
    assert done.status == 5, done.out + done.err


def test_failed_goes_by_what_each_host_calls_a_failure(tmp_path: Path) -> None:
    """A success that was not expected is one for pytest and trial, so --failed leaves it out; for
    unittest it is a failure."""
    case = """
        from {} import TestCase

        class C(TestCase):
            def test_{}(self):
                pass
            {}
        """
    files = {
        "pyproject.toml": "",
        "test_p.py": "import pytest\n\n@pytest.mark.xfail\ndef test_p(): pass\n",
        "test_u.py": case.format("unittest", "u", "test_u.__unittest_expecting_failure__ = True"),
        "test_t.py": case.format("twisted.trial.unittest", "t", "test_t.todo = 'later'"),
    }
    write_files(tmp_path, files)
    words = ("pytest:test_p.py", "unittest:test_u.py", "trial:test_t.py")
    done = whotests_test(tmp_path, *words, status=1, measure=True)
    assert "2 passed, 1 unexpected success, 2 of them though" in done.out
    done = whotests_test(tmp_path, *words, "--failed", "--list", status=0)
    assert done.out == "test_u.C.test_u\n"


def test_more_targets_than_fit_on_one_word_of_a_command_line(tmp_path: Path) -> None:
    """All ids of a large list may be targets, and are run; where nothing has them, a few are
    named."""
    names = [f"test_{'long_' * 800}{number}" for number in range(40)]
    body = "".join(f"    def {name}(self): pass\n" for name in names)
    program = f"import unittest\n\nclass U(unittest.TestCase):\n{body}"
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "test_u.py").write_text(program)
    ids = [f"test_u.U.{name}" for name in names]
    done = run_tests(*(f"unittest:{each}" for each in ids), cwd=tmp_path)
    assert done.verdicts == {each: ["success"] for each in ids}, done.err
    done = run_tests(*(f"unittest:{each}" for each in ids), "-k", "nothing", cwd=tmp_path)
    assert f"{ids[9]} and 30 more" in done.err
    assert ids[10] not in done.err
