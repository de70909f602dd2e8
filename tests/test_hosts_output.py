"""What tests write, cut out of the output of their process, test by test."""

import sys
from pathlib import Path

import pytest

from measured_commands import write_files
from tested_commands import Tested as Ended
from tested_commands import run_tests
from whotests.hosts.output import KEPT, GrowingFile

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

WRITING = {
    "test_writing.py": """
        import contextlib
        import io
        import logging
        import os
        import subprocess
        import sys
        import unittest
        from unittest.mock import MagicMock


        def setUpModule():
            print("of the module")


        class Writing(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                print("of the class")

            def test_a_nothing(self):
                pass

            def test_b_without_an_end(self):
                sys.stdout.write("no end of line")

            def test_c_nothing_again(self):
                with contextlib.redirect_stdout(io.StringIO()):
                    print("elsewhere")

            def test_d_much(self):
                for number in range(40_000):
                    print(f"line {number:05} " + "=" * 88)

            def test_e_a_child(self):
                subprocess.run(["sh", "-c", "echo out; echo err >&2"], check=True)

            def test_f_strange(self):
                os.write(1, b"\\x00 \\xe2\\x82\\xac\\n")

            def test_g_own_stream(self):
                stream, sys.stdout = sys.stdout, None
                try:
                    os.write(1, b"without a stream\\n")
                finally:
                    sys.stdout = stream

            def test_g_stream_that_fails(self):
                class Fails:
                    def flush(self):
                        raise RuntimeError

                self.addClassCleanup(setattr, sys, "stdout", sys.stdout)
                sys.stdout = Fails()

            def test_h_closes(self):
                kept = os.dup(1)
                os.close(1)
                try:
                    os.write(2, b"to the other\\n")
                finally:
                    os.dup2(kept, 1)
                    os.close(kept)

            def test_i_logs(self):
                logger = logging.getLogger("quiet")
                logger.propagate = False
                logger.addHandler(logging.NullHandler())
                logger.error("nobody %s", "hears")
                try:
                    1 / 0
                except ZeroDivisionError:
                    logger.exception("caught")
                self.assertEqual(logging.getLogger().handlers, [])

            def test_j_logs_wrongly(self):
                logger = logging.getLogger("quiet")
                logger.error("%d", "text")

            def test_k_looks_at_records(self):
                class Short(logging.Formatter):
                    def formatException(self, info):
                        return "short"

                class Looking(logging.StreamHandler):
                    def emit(self, record):
                        self.message = vars(record).get("message", "none yet")
                        super().emit(record)

                handler = Looking(io.StringIO())
                handler.setFormatter(Short("%(message)s"))
                logger = logging.getLogger("looking")
                logger.addHandler(handler)
                try:
                    1 / 0
                except ZeroDivisionError:
                    logger.exception("caught")
                self.assertEqual(handler.stream.getvalue(), "caught\\nshort\\n")
                self.assertEqual(handler.message, "none yet")

            def test_l_looks_at_arguments(self):
                noted = MagicMock()
                noted.__str__.return_value = "mock"
                logger = logging.getLogger("quiet")
                logger.error("nobody writes %s", noted)
                logger.error(noted)
                self.assertEqual(noted.mock_calls, [])
                with self.assertLogs("quiet"):
                    logger.error("somebody writes %s", noted)
                self.assertEqual(len(noted.mock_calls), 1)
    """
}


@pytest.fixture(scope="module")
def writing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """Tests that write in many ways, run once."""
    folder = tmp_path_factory.mktemp("writing")
    write_files(folder, WRITING)
    return folder, run_tests("unittest:.", cwd=folder)


def test_each_test_has_what_it_wrote(writing: tuple[Path, Ended]) -> None:
    """Whatever way it took to the descriptors, and nothing that others wrote."""
    _, ended = writing
    assert ended.status == 0, ended.err
    output = {
        name.rpartition(".test_")[2]: told["output"]
        for name, told in ended.told.items()
        if "output" in told and "much" not in name
    }
    assert output == {
        "b_without_an_end": "no end of line",
        "e_a_child": "out\nerr\n",
        "f_strange": "\0 \N{EURO SIGN}\n",
        "g_own_stream": "without a stream\n",
        "h_closes": "to the other\n",
    }


def test_of_much_output_both_ends_are_attached(writing: tuple[Path, Ended]) -> None:
    """The first and last half mebibyte, how much is between, and the file that has it all."""
    folder, ended = writing
    lines = ended.said_of("test_d_much")["output"].splitlines()
    assert lines[0].startswith("line 00000 ")
    assert lines[-1].startswith("line 39999 ")
    [left] = [line for line in lines if "octets more" in line]
    assert left.startswith(f"[{40_000 * 100 - 2 * KEPT} octets more are in ")
    file = Path(left.rpartition(" are in ")[2].rstrip("]"))
    assert file.is_relative_to(folder.resolve())
    assert "line 20000 " in file.read_text(errors="replace")


def test_records_are_attached_whoever_handles_them(writing: tuple[Path, Ended]) -> None:
    """Loggers that pass nothing on are heard, with tracebacks; no handler was added."""
    _, ended = writing
    log = ended.said_of("test_i_logs")["log"]
    assert log.startswith("ERROR quiet: nobody hears\nERROR quiet: caught\nTraceback ")
    assert "ZeroDivisionError" in log
    assert "%d" in ended.said_of("test_j_logs_wrongly")["log"]


def test_to_hear_records_changes_nothing(writing: tuple[Path, Ended]) -> None:
    """Handlers get records that nobody has written, and arguments are written by handlers alone:
    tests that look at either pass as they do elsewhere."""
    _, ended = writing
    assert {"test_k_looks_at_records", "test_l_looks_at_arguments"} <= ended.passed()
    assert "ZeroDivisionError" in ended.said_of("test_k_looks_at_records")["log"]
    assert ended.said_of("test_l_looks_at_arguments")["log"].splitlines() == [
        "ERROR quiet: nobody writes %s",
        "ERROR quiet: <MagicMock>",
        "ERROR quiet: somebody writes mock",
    ]


def test_a_file_that_grows_is_read_from_where_it_was(tmp_path: Path) -> None:
    """What came since the last look; one that was cut in between does no harm."""
    path = tmp_path / "log"
    path.write_bytes(b"before")
    file = GrowingFile(str(path))
    assert list(file.chunks("log")) == []
    with path.open("ab") as writer:
        writer.write(b"after")
    assert b"".join(chunk.content for chunk in file.chunks("log")) == b"after"
    assert list(file.chunks("log")) == []
    path.write_bytes(b"")
    assert b"".join(chunk.content for chunk in file.chunks("log")) == b""
    with path.open("ab") as writer:
        writer.write(b"again")
    assert b"".join(chunk.content for chunk in file.chunks("log")) == b"again"
    file.close()
