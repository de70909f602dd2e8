"""What a worker had run before a test failed is read from its journal."""

import shutil
from pathlib import Path

import pytest

from chosen_commands import whotests_test
from measured_commands import write_files
from whotests.hosts.frames import EVENT, FrameWriter
from whotests.runner.isolation.past_order import past_order


def journal(file: Path, *events: tuple[str, str]) -> None:
    """A journal in which tests begin and end."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as content:
        writer = FrameWriter(content.fileno())
        for test_id, status in events:
            writer.put((EVENT, test_id, status, None, True, None, None, 1.0))


def test_the_newest_run_in_which_it_failed(tmp_path: Path) -> None:
    """Of the worker that ran it, and no more than what came before it; runs in which it passed,
    other workers and the run that asks tell nothing."""
    ran = [(name, status) for name in "abc" for status in ("inprogress", "success")]
    failed = [("t", "inprogress"), ("t", "fail")]
    passed = [("t", "inprogress"), ("t", "success")]
    journal(tmp_path / "8" / "w0-1.journal", *ran[:2], *failed)
    journal(tmp_path / "9" / "w0-1.journal", *ran[:2])
    journal(tmp_path / "9" / "w1-1.journal", *ran[2:], *failed, *ran[:2])
    journal(tmp_path / "10" / "w0-1.journal", *ran, *passed)
    journal(tmp_path / "11" / "w0-1.journal", *failed)
    found = past_order(tmp_path, "t", but=tmp_path / "11")
    assert found is not None
    assert found.journal == tmp_path / "9" / "w1-1.journal"
    assert found.before == ("b", "c")


def test_a_test_that_took_its_process_along(tmp_path: Path) -> None:
    """It began and has no end in the journal."""
    journal(tmp_path / "1" / "round-2" / "w0-1.journal", ("a", "inprogress"), ("t", "inprogress"))
    found = past_order(tmp_path, "t", but=tmp_path / "2")
    assert found is not None
    assert found.before == ("a",)


@pytest.mark.parametrize("octets", [b"", b"\xff" * 50, b"\x05\0\0\0abcdefgh", b"\x01\0\0\0N"])
def test_a_journal_that_cannot_be_read(tmp_path: Path, octets: bytes) -> None:
    """It tells nothing, and keeps no other one from telling."""
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "w0-1.journal").write_bytes(octets)
    journal(tmp_path / "1" / "w0-1.journal", ("t", "inprogress"), ("t", "fail"))
    found = past_order(tmp_path, "t", but=tmp_path / "3")
    assert found is not None
    assert found.before == ()
    assert past_order(tmp_path, "other", but=tmp_path / "3") is None


def test_isolate_begins_with_what_the_worker_had_run(tmp_path: Path) -> None:
    """A failure that came in an order of its own is explained by that order, which neither the
    usual one nor all other tests together would show."""
    program = """
        STATE = []

        def test_victim():
            assert STATE != ["b"]

        def test_a():
            STATE.append("a")

        def test_b():
            STATE.append("b")
        """
    write_files(tmp_path, {"pyproject.toml": "", "test_x.py": program})
    (tmp_path / "order").write_text(
        "test_x.py::test_b\ntest_x.py::test_victim\ntest_x.py::test_a\n"
    )
    whotests_test(tmp_path, "--load-list", "order", "--order", "list", status=1)
    done = whotests_test(tmp_path, "--isolate", "test_x.py::test_victim", status=1)
    assert "it failed after 1 other in .whotests/runs/1/w0-1.journal" in done.out
    assert "fails after this test" in done.out
    assert "  test_x.py::test_b\n" in done.out
    shutil.rmtree(tmp_path / ".whotests/runs/1")
    done = whotests_test(tmp_path, "--isolate", "test_x.py::test_victim", status=0)
    assert "did not fail, neither alone nor after all other tests" in done.out
    assert "--until-failure" in done.out
