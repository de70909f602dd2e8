"""`whotests export`: write the data in a format of other tools."""

import os
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import click

from whotests.cli.asking import data_option, opened, run_option
from whotests.cli.configured import config_option
from whotests.errors import DataError, MachineError, UsageError
from whotests.formats.exporting import Export
from whotests.formats.registry import FORMATS, Format, format_named
from whotests.query.focus import Focus

__all__ = ["export"]

_STANDARD_OUTPUT = "-"
_HEAD = 4096
_DATA = ("coverage", "sqlite")
"""Formats of data, in which there are no figures."""


@click.command(short_help="Write the data in a format of other tools.")
@click.argument("name", type=click.Choice(list(FORMATS)))
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    help="Where to write; - is standard output. Default: what the tool calls it, in this folder.",
)
@click.option(
    "--contexts/--no-contexts",
    default=None,
    help="Write who ran what. Default: in coverage.py's JSON yes, in LCOV no.",
)
@click.option(
    "--checksums", is_flag=True, help="Write checksums of the lines' texts, where there is room."
)
@click.option(
    "--relative-files/--absolute-files",
    default=None,
    help="Paths in coverage.py's data. Default: as coverage.py's own settings have it.",
)
@click.option(
    "--include", multiple=True, metavar="GLOB", help="Write what ran of these files only."
)
@click.option("--omit", multiple=True, metavar="GLOB", help="Leave these files out.")
@data_option
@run_option
@config_option
def export(
    name: str,
    output: str | None,
    contexts: bool | None,
    checksums: bool,
    relative_files: bool | None,
    include: tuple[str, ...],
    omit: tuple[str, ...],
    data: tuple[Path, ...],
    run: str | None,
    config: Path | None,
) -> None:
    """Write what ran, and in which contexts, as other tools keep it.

    Formats of figures have the files that `whotests report` has; the settings may leave some out
    (report_include, report_omit). What the format cannot hold is said on standard error.
    docs/formats.md describes each format.
    """
    chosen = format_named(name)
    if chosen.write is None:
        raise UsageError(f"{chosen.title} is only read; there are others, see --help")
    if name == "sqlite" and (include or omit):
        raise UsageError(
            "plain tables hold all files; write a part of the data with `whotests subset --files`, "
            "and export that with --data"
        )
    with opened(data, run=run, config=config) as question:
        settings = question.settings
        # Data is written whole: what reads it has settings of its own.
        by_settings = name not in _DATA
        focus = Focus(
            root=settings.root,
            include=include or (settings.report_include if by_settings else ()),
            omit=omit or (settings.report_omit if by_settings else ()),
        )
        exported = Export(
            reader=question.reader,
            catalogue=question.catalogue,
            root=question.settings.root,
            cwd=Path.cwd(),
            now=time.time(),
            contexts=contexts,
            checksums=checksums,
            relative=_relative(name, relative_files),
            paths=frozenset(filter(focus.takes_file, question.catalogue.versions)),
        )
        unsaid = _put(chosen, exported, output or chosen.file_name)
    for sentence in unsaid:
        click.echo(f"whotests: {sentence}", err=True)


def _relative(name: str, told: bool | None) -> bool:
    if told is not None or name != "coverage":
        return bool(told)
    from whotests.config.relative_files import coverage_has_relative_files

    return coverage_has_relative_files(Path.cwd(), environ=os.environ)


def _put(chosen: Format, exported: Export, output: str) -> tuple[str, ...]:
    """Writes beside the place, and puts it there when all is written. What is no file (a device,
    a pipe, a link) stays what it is, and is written to."""
    assert chosen.write is not None
    to_stdout = output == _STANDARD_OUTPUT
    out = Path(output)
    if not to_stdout:
        _check_place(out, chosen)
    beside = not to_stdout and not out.is_symlink() and (out.is_file() or not out.exists())
    try:
        with tempfile.TemporaryDirectory(
            prefix=".whotests-", dir=out.absolute().parent if beside else None
        ) as folder:
            written = Path(folder) / "export"
            unsaid = chosen.write(exported, written)
            if to_stdout:
                sys.stdout.buffer.write(written.read_bytes())
                sys.stdout.buffer.flush()
            elif beside:
                os.replace(written, out)
            else:
                out.write_bytes(written.read_bytes())
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise MachineError(
            f"cannot write {output}: {reason}; make room, or name another file"
        ) from error
    if not to_stdout:
        click.echo(f"wrote {output}")
    return unsaid


def _check_place(out: Path, chosen: Format) -> None:
    """Only a file of the same format is replaced."""
    if out.is_dir():
        raise UsageError(f"{out} is a folder; name a file in it with -o")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {out.parent}; make it, or name another file")
    if out.exists() and not out.is_file():
        return
    try:
        with out.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        return
    if head and not chosen.recognises(head):
        raise DataError(
            f"{out} is there already and is not {chosen.title}: it was left as it is; "
            "name another file with -o, or delete that one"
        )
