"""The reports that `pytest --whotests` makes when its run is over. (PYTEST_DONT_REWRITE)

Each is made by a `whotests` process of its own: reports never live in the measured one.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from whotests.errors import UsageError

__all__ = ["Made", "Reports", "read_reports"]

_TEXT = ("term", "term-missing")
_FILES = {
    "markdown": "coverage.md",
    "markdown-append": "coverage.md",
    "json": "coverage.json",
    "xml": "coverage.xml",
    "lcov": "coverage.lcov",
}
"""Kinds of reports that are files, and what these are called when nobody says."""

_FORMATS = {"json": "coverage-json", "xml": "cobertura", "lcov": "lcov"}


class Wanted(NamedTuple):
    """One report that was asked for."""

    kind: str
    place: str
    """A file, or '' for the terminal."""
    options: tuple[str, ...] = ()


class Made(NamedTuple):
    """What became of the reports."""

    text: str
    """For the terminal."""
    problems: tuple[str, ...]
    """Lines that tell why the run fails for them."""


def read_reports(words: Sequence[str]) -> tuple[Wanted, ...]:
    """What the values of `--whotests-report` ask for, the later of two alike.

    Raises `UsageError` for one that asks for what there is not.
    """
    wanted: dict[tuple[str, str], Wanted] = {}
    for word in filter(None, words):
        kind, _, rest = word.partition(":")
        if kind in _TEXT and rest in ("", "skip-covered"):
            # One on the terminal, with all that was asked for.
            before = wanted.get(("term", ""), Wanted("term", "")).options
            options = ["--show-missing"] * (kind == "term-missing") + ["--skip-covered"] * bool(
                rest
            )
            wanted["term", ""] = Wanted("term", "", tuple(dict.fromkeys((*before, *options))))
        elif kind in _FILES:
            place = rest or _FILES[kind]
            wanted[kind, place] = Wanted(kind, place)
        elif kind in ("html", "annotate"):
            raise UsageError(
                f"--whotests-report={word}: there is no such report; `whotests export coverage` "
                f"writes a file of which `coverage {kind}` makes one"
            )
        else:
            kinds = ", ".join((*_TEXT, *_FILES))
            raise UsageError(
                f"--whotests-report={word}: there is no such report; there are {kinds}, the first "
                "two maybe with ':skip-covered', the others with ':FILE'"
            )
    return tuple(wanted.values())


class Reports:
    """Makes the reports of one run, in its folder, with its settings."""

    def __init__(
        self,
        wanted: tuple[Wanted, ...],
        *,
        check: bool,
        fail_under: float | None,
        precision: int | None,
        data: Path,
        run_name: str,
        config: str | None,
        folder: Path,
    ) -> None:
        """With `check`, a percentage below what is asked for is a problem; `fail_under` and
        `precision` as they were asked for, None for what the settings say."""
        self._wanted = wanted
        self._check = check
        self._fail_under = fail_under
        self._precision = precision
        # Of this run and no other: one of another name may have begun meanwhile.
        run = ("--data", str(data), f"--run={run_name}")
        self._common = (*run, *(("--config", config) if config else ()))
        self._folder = folder

    def make(self) -> Made:
        """Makes them all."""
        texts: list[str] = []
        problems: list[str] = []

        def tell(done: Any, *, output: str) -> None:
            texts.append(output)
            # What one report says of the settings the next one need not say again.
            said = [line for line in done.stderr.splitlines(True) if line not in texts]
            (problems if done.returncode else texts).extend(said)

        checked = not self._check
        for wanted in self._wanted:
            try:
                os.makedirs((self._folder / wanted.place).parent, exist_ok=True)
                if wanted.kind == "term":
                    done = self._report(*wanted.options, check=self._check)
                    checked = True
                    tell(done, output=done.stdout)
                elif wanted.kind in _FORMATS:
                    done = self._call("export", _FORMATS[wanted.kind], "-o", wanted.place)
                    tell(done, output=done.stdout)
                else:
                    done = self._report("--format", "markdown", check=False)
                    table = "" if done.returncode else self._write_markdown(wanted, done.stdout)
                    tell(done, output=table)
            except OSError as error:
                problems.append(
                    f"whotests: cannot write {wanted.place}: {error.strerror or error}; give "
                    f"another file: --whotests-report={wanted.kind}:FILE\n"
                )
        if not checked:
            done = self._report("--format", "total", check=True)
            tell(done, output="")
        return Made("".join(texts), tuple("".join(problems).splitlines()))

    def _write_markdown(self, wanted: Wanted, table: str) -> str:
        append = wanted.kind == "markdown-append"
        with open(self._folder / wanted.place, "a" if append else "w", encoding="utf-8") as out:
            out.write(table)
        return f"{'appended to' if append else 'wrote'} {wanted.place}\n"

    def _report(self, *options: str, check: bool) -> Any:
        words = ["report", *options]
        if not check:
            words += ["--fail-under", "0"]
        elif self._fail_under is not None:
            words += ["--fail-under", f"{self._fail_under:.10g}"]
        if self._precision is not None:
            words += ["--precision", str(self._precision)]
        return self._call(*words)

    def _call(self, *words: str) -> Any:
        import subprocess  # much to import, and seldom needed

        return subprocess.run(
            [sys.executable, "-P", "-m", "whotests", *words, *self._common],
            cwd=self._folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace"},
            check=False,
        )
