"""Files that are made to hurt: refused with one sentence, in little time and memory."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from hostile_commands import whotests
from measured_commands import write_files

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="nobody tells what memory it took")

MEGABYTES = 500
SECONDS = 30

JSON = '{"meta": {"format": 3, "show_contexts": true}, "files": {'
FILE = JSON + '"src/a.py": {"executed_lines": '
XML = '<?xml version="1.0"?><coverage>'


def numbered(text: str, count: int, separator: str = "") -> Iterator[str]:
    """The text so many times, with a number where it has {}."""
    for number in range(1, count + 1):
        yield text.replace("{}", str(number)) + (separator if number < count else "")


CASES: dict[str, tuple[Iterable[str], str]] = {
    "entities in entities": (
        [
            '<!DOCTYPE coverage [<!ENTITY e0 "lol">',
            *(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12)),
            "]><coverage >&e11;</coverage>",
        ],
        "it defines entities",
    ),
    "an entity of a megabyte": (
        ['<!DOCTYPE coverage [<!ENTITY a "', "x" * 3000, '">]><coverage >', "&a;" * 1_000_000],
        "it defines entities",
    ),
    "elements in each other": ([XML, "<a>" * 3_000_000], "more than 64 deep"),
    "a tag that never ends": ([XML, '<a b="', "x" * 30_000_000], "a tag is longer than"),
    "a comment that never ends": ([XML, "<!--", "x" * 30_000_000], "a tag is longer than"),
    "a source of 30 MB": ([XML, "<source>", "x" * 30_000_000], "longer than any path"),
    "high lines of many files": (
        [
            XML,
            *numbered('<class filename="src/{}.py"><line number="999999" hits="1"/></class>', 9000),
            "</coverage>",
        ],
        "more lines",
    ),
    "lists in each other": ([FILE, "[" * 5_000_000], "cut short"),
    "lists in each other that end": (
        [FILE, "[" * 200_000, "]" * 200_000, "}}}"],
        "nested too deep|recursion",
    ),
    "a list of empty lists": ([FILE, "[", "[]," * 2_000_000, "1]}}}"], "larger than any"),
    "a list of many numbers": (
        [FILE, "[", *numbered("{}", 3_000_000, ","), "]}}}"],
        "larger than any",
    ),
    "a path of 10 MB": ([JSON, '"', "x" * 10_000_000, '": {}}}'], "longer than any name"),
    "contexts on high lines": (
        [
            FILE,
            '[1], "contexts": {"999999": [',
            *numbered('"t{}"', 3000, ","),
            "]",
            *numbered(', "{}": ["t{}"]', 3000),
            "}}}}",
        ],
        "more lines in more contexts",
    ),
    "a record of 10 MB": (["SF:", "x" * 10_000_000, "\nend_of_record\n"], "is longer than 65536"),
    "records of high lines": (
        numbered("SF:src/{}.py\nDA:999999,1\nDA:{},1\nend_of_record\n", 3000),
        "more lines",
    ),
    "a test for each line": (
        numbered("TN:t{}\nSF:src/a.py\nDA:999999,1\nDA:{},1\nend_of_record\n", 3000),
        "more lines in more contexts",
    ),
    "more branches than any project has": (
        [
            "SF:src/a.py\n",
            *numbered("BRDA:{},0,jump to line 1,1\n", 600_000),
            "end_of_record\n",
        ],
        "more than 500,000 branches",
    ),
    "a path that climbs out": (
        ["SF:../../etc/passwd\nDA:1,1\nend_of_record\n"],
        "nothing could be imported: ../../etc/passwd: it is not below",
    ),
    "a path of the system": (
        ["SF:/etc/passwd\nDA:1,1\nend_of_record\n"],
        "nothing could be imported: /etc/passwd: it is not below",
    ),
    "an old coverage.py's data": (
        ['!coverage.py: This is a private format, don\'t read it directly!{"lines":{}}'],
        "was written by coverage.py 4",
    ),
    "no format at all": (["hello\n" * 1000], "is of no format that whotests reads"),
    "nothing": ([""], "is of no format that whotests reads"),
}


@pytest.mark.parametrize("name", CASES)
def test_hostile_files_are_refused(tmp_path: Path, name: str) -> None:
    """Status 2, one line that says why, little memory, and nothing is left behind."""
    chunks, message = CASES[name]
    write_files(tmp_path, {"pyproject.toml": "[tool.whotests]\n", "src/a.py": "x = 1\n"})
    with (tmp_path / "hostile").open("w") as file:
        file.writelines(chunks)
    before = sorted(tmp_path.rglob("*"))
    taken = whotests("import", "hostile", cwd=tmp_path)
    assert taken.status == 2, taken
    assert any(part in taken.err for part in message.split("|")), taken.err
    assert taken.err.startswith("whotests: ")
    assert taken.err.count("\n") == 1
    assert len(taken.err) < 1000
    assert taken.megabytes < MEGABYTES, taken
    assert taken.seconds < SECONDS, taken
    assert sorted(tmp_path.rglob("*")) == before


def test_links_out_of_the_project_are_not_followed(tmp_path: Path) -> None:
    """What a link leads to is not read: the file counts as one whose source is not there."""
    write_files(
        tmp_path, {"outside.py": "secret = 1\n", "project/pyproject.toml": "[tool.whotests]\n"}
    )
    project = tmp_path / "project"
    (project / "a.py").symlink_to(tmp_path / "outside.py")
    (project / "report").write_text("SF:a.py\nDA:1,1\nend_of_record\n")
    taken = whotests("import", "report", cwd=project)
    assert taken.status == 0
    assert "a link leads out of the project" in taken.err
