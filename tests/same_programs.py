"""Runs one program plainly and under measurement, and holds the two against each other."""

import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from measured_commands import Ended, recorded_lines, run_measured, run_plain, write_files


def assert_same(
    folder: Path,
    files: dict[str, str],
    *words: str,
    subject: str = "prog.py",
    status: int | None = 0,
    options: tuple[str, ...] = ("--source", "."),
    env: dict[str, str] | None = None,
) -> Ended:
    """Both runs have the same exit status (`status`, unless None), stdout and stderr.

    `subject` is a file that must have been measured: else the comparison would be with nothing.
    The command is `python prog.py` unless `words` say another. Returns how the plain run ended.
    """
    write_files(folder, files)
    words = words or ("python", "prog.py")
    env = {"PYTHONHASHSEED": "0", **(env or {})}
    plain = _without_addresses(run_plain(*words, cwd=folder, env=env))
    measured = _without_addresses(run_measured(*words, cwd=folder, options=options, env=env))
    assert measured == plain, "\n".join(_difference(plain, measured))
    if status is not None:
        assert plain.status == status, plain
    assert any(recorded_lines(folder, subject).values()), f"{subject} was not measured"
    return plain


def _without_addresses(ended: Ended) -> Ended:
    out, err = (re.sub(r" at 0x[0-9a-fA-F]+", " at 0x", text) for text in (ended.out, ended.err))
    return Ended(status=ended.status, out=out, err=err)


def _difference(plain: Ended, measured: Ended) -> Iterator[str]:
    yield f"status {plain.status}, measured {measured.status}"
    for one, other in ((plain.out, measured.out), (plain.err, measured.err)):
        yield from unified_diff(one.split("\n"), other.split("\n"), "plain", "measured", n=5)
