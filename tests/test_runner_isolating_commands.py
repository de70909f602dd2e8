"""Isolating, end to end: `whotests test --isolate` on projects whose tests disturb each other."""

import os
from pathlib import Path

import pytest

from chosen_commands import ran, whotests_test
from measured_commands import run_plain, write_files

ORDERED = {
    "pyproject.toml": "",
    "test_state.py": """
        import os
        import pytest

        STATE = []

        @pytest.mark.parametrize("n", range(2))
        def test_harmless(n):
            pass

        def test_first_half():
            STATE.append(1)

        def test_second_half():
            STATE.append(2)

        def test_fails_after_both():
            assert STATE != [1, 2]

        def test_fails_alone():
            assert STATE

        def test_passes():
            pass

        def test_after_it():
            STATE.append(9)
        """,
}


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which one test fails after two others."""
    folder = tmp_path_factory.mktemp("ordered")
    write_files(folder, ORDERED)
    return folder


def test_isolate_finds_all_culprits(ordered: Path) -> None:
    """Two tests that together make a third one fail are named, with a command that shows it."""
    test = "test_state.py::test_fails_after_both"
    done = whotests_test(ordered, "--isolate", test, status=1)
    assert f"{test} fails after these 2 tests" in done.out
    assert "  test_state.py::test_first_half\n  test_state.py::test_second_half\n" in done.out
    command = done.out.rpartition("again: whotests test ")[2].split()
    again = whotests_test(ordered, *command, "-v", status=1)
    assert ran(again) == [
        "test_state.py::test_first_half",
        "test_state.py::test_second_half",
        test,
    ]


def test_isolate_says_that_a_test_fails_alone(ordered: Path) -> None:
    """It needs one experiment, though the test passes after others."""
    test = "test_state.py::test_fails_alone"
    done = whotests_test(ordered, "--isolate", test, status=1)
    assert f"{test} fails alone" in done.out
    assert "(1 experiment)" in done.out


def test_isolate_needs_a_test(ordered: Path) -> None:
    """An id that there is not is wrong use, with what is near to it."""
    done = whotests_test(ordered, "--isolate", "test_state.py::test_pass", status=2)
    assert "near to it: test_state.py::test_passes" in done.err


def test_isolate_in_trial(tmp_path: Path) -> None:
    """Culprits are found among tests of other hosts as well as among pytest's."""
    program = """
        from twisted.trial import unittest

        class T(unittest.TestCase):
            seen = []

            def test_a(self):
                self.seen.append(1)

            def test_b(self):
                self.assertEqual(self.seen, [])
        """
    write_files(tmp_path, {"pyproject.toml": "", "shop/__init__.py": "", "shop/test_t.py": program})
    done = whotests_test(tmp_path, "--isolate", "shop.test_t.T.test_b", status=1)
    assert "fails after this test" in done.out
    assert "  shop.test_t.T.test_a\n" in done.out


def test_isolate_can_be_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends the experiment that goes on, and leaves no process behind."""
    program = """
        import os, signal, time
        from pathlib import Path

        def test_a():
            Path(__file__).with_name("host").write_text(str(os.getpid()))
            os.kill(int(os.environ["RUNNER"]), signal.SIGINT)
            time.sleep(60)

        def test_b():
            pass
        """
    write_files(tmp_path, {"pyproject.toml": "", "test_a.py": program})
    words = ["whotests", "test", "--no-measure", "--isolate", "test_a.py::test_b"]
    starter = f"import os; os.environ['RUNNER'] = str(os.getpid()); os.execvp('whotests', {words})"
    done = run_plain("python", "-c", starter, cwd=tmp_path)
    assert done.status == 130, done.out + done.err
    assert "interrupted before there was an answer" in done.err
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "host").read_text()), 0)
