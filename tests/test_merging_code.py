"""Files, their versions and branches when data files become one: paths here and there."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from data_files import NOON, DataFile, Measured, basket_of
from merged_data import TEST, shard, told
from test_merging_runs import combined
from whotests.errors import DataError, UsageError
from whotests.packing.outlines import pack_outline
from whotests.source.text import digest_of
from whotests.store.merging.aliases import Aliases
from whotests.store.merging.combining import How, combine
from whotests.store.merging.twins import renamed
from whotests.types import FileState

TWO = "tests/test_a.py::test_two"
HERE = "/home/me/proj"


def forked(*branches: tuple[int, int]) -> Measured:
    """BASKET, with branches as some Python sees them."""
    basket = basket_of()
    return Measured(
        path=basket.path,
        text=basket.text,
        statements=basket.statements,
        units=basket.units,
        branches=branches,
    )


def test_versions_are_kept_apart(tmp_path: Path) -> None:
    """Each fact stays with the source that it was seen in, and the file is named."""
    one = shard(tmp_path / "a", tests={TEST: [8]})
    other = shard(tmp_path / "b", tests={TEST: [11]}, files=[basket_of(comment="# new\n")])
    done = combined(tmp_path / "all.db", one, other)
    assert done.several_versions == {"src/shop/basket.py": 2}
    digests = {
        line: {digest for *_, digest, each in told(tmp_path / "all.db").facts if each == line}
        for line in (8, 11)
    }
    old, new = (digest_of(basket_of(comment=c).text.encode()) for c in ("", "# new\n"))
    assert digests == {8: {old}, 11: {new}}


def test_one_source_refuses_other_versions(tmp_path: Path) -> None:
    """`--one-source` names the file, and the result stays what it was."""
    one = shard(tmp_path / "a", tests={TEST: [8]})
    other = shard(tmp_path / "b", tests={TEST: [11]}, files=[basket_of(comment="# new\n")])
    target = tmp_path / "all.db"
    combined(target, one)
    before = told(target)
    with pytest.raises(DataError, match=r"different source of src/shop/basket\.py \(2 versions\)"):
        combined(target, other, append=True, one_source=True)
    assert told(target) == before


def test_branches_that_another_python_sees(tmp_path: Path) -> None:
    """Branches that only one of them has are added; each fact stays the branch that it was."""
    one = shard(tmp_path / "a", tests={TEST: [(11, 12)]}, files=[forked((11, 12), (11, 15))])
    other = shard(
        tmp_path / "b",
        tests={TWO: [(11, -10), (11, 15)]},
        files=[forked((11, -10), (11, 12), (11, 15))],
    )
    for order in ((one, other), (other, one)):
        target = tmp_path / f"{order[0].parent.parent.name}.db"
        combined(target, *order)
        assert {(context, branch) for _, context, _, _, branch in told(target).facts} == {
            (f"{TEST}|call", (11, 12)),
            (f"{TWO}|call", (11, -10)),
            (f"{TWO}|call", (11, 15)),
        }


def test_a_shard_without_branches_is_told(tmp_path: Path) -> None:
    """What its tests took cannot be known, so the command says how many there are."""
    one = shard(tmp_path / "a", tests={TEST: [(11, 12)]}, files=[basket_of(branch=True)])
    other = shard(tmp_path / "b", tests={TWO: [11]})
    assert combined(tmp_path / "all.db", one, other).without_branches == 1
    assert combined(tmp_path / "lines.db", other).without_branches == 0


def test_measured_counts_before_not_imported(tmp_path: Path) -> None:
    """A file that one shard measured is measured, whichever comes first."""
    unseen = Measured(
        path="src/shop/basket.py",
        text=basket_of().text,
        statements=basket_of().statements,
        units={},
        state=FileState.NOT_IMPORTED,
    )
    idle = shard(tmp_path / "a", files=[unseen])
    busy = shard(tmp_path / "b", tests={TEST: [8]})
    for target, order in ((tmp_path / "1.db", (idle, busy)), (tmp_path / "2.db", (busy, idle))):
        assert combined(target, *order).files == 1
        assert {line for *_, line in told(target).facts} == {8}


def test_contradictions_about_one_source_are_refused(tmp_path: Path) -> None:
    """The same source cannot have a function elsewhere: the file and the lines are named."""
    one = shard(tmp_path / "a", tests={TEST: [8]})
    other = shard(tmp_path / "b", tests={TEST: [8]})
    with closing(sqlite3.connect(other)) as connection, connection:
        outline = pack_outline([(2, 1, 18, 0, ""), (1, 4, 18, 0, "Basket"), (0, 3, 9, 0, "odd")])
        connection.execute("UPDATE file SET outline = ?", (outline,))
    with pytest.raises(DataError, match=r"src/shop/basket\.py that odd is on lines 3 to 9"):
        combined(tmp_path / "all.db", one, other)


def test_the_same_source_elsewhere_is_the_same_file(tmp_path: Path) -> None:
    """A project that was recorded from another folder; the path that is on the disk here stays."""
    here = DataFile(tmp_path)
    here.save(basket_of())
    files = [basket_of("shop/basket.py")]
    there = shard(tmp_path / "a", tests={TEST: [8]}, files=files, started=NOON - 9)
    known = shard(tmp_path / "b", tests={TEST: [11]})
    for number, order in enumerate(((there, known), (known, there))):
        target = tmp_path / f"{number}.db"
        done = combined(target, *order)
        assert done.renamed == {"shop/basket.py": "src/shop/basket.py"}
        assert {path for path, _ in told(target).files} == {"src/shop/basket.py"}
    assert len(told(there, known).files) == 1


def test_paths_of_the_settings(tmp_path: Path) -> None:
    """A file below one of the folders of a group is that of the first folder."""
    here = DataFile(tmp_path)
    here.save(basket_of())
    other = basket_of("/ci/build/77/src/shop/basket.py", comment="# new\n")
    there = shard(tmp_path / "a", tests={TEST: [8]}, files=[other])
    how = How(root=str(tmp_path), paths=(("source", ("src", "/ci/build/*/src")),))
    combine(tmp_path / "all.db", [there], how, here="vm", now=NOON)
    assert {path for path, _ in told(tmp_path / "all.db").files} == {"src/shop/basket.py"}


@pytest.mark.parametrize(
    ("groups", "path", "expected"),
    [
        ([["src", "*/src"]], "/ci/src/a/b.py", "src/a/b.py"),
        ([["src", "*/src"]], "src/a/b.py", "src/a/b.py"),
        ([["src", "build/lib"]], "build/lib/a/b.py", "src/a/b.py"),
        ([["./src/", "C:\\ci\\src\\"]], "c:/ci/src/a/b.py", "src/a/b.py"),
        ([["src", "/ci/src"]], "/ci/src2/a/b.py", "/ci/src2/a/b.py"),
        ([["src", "/ci/py?/site-packages"]], "/ci/py3/site-packages/a/b.py", "src/a/b.py"),
        ([["gone", "/ci"], ["src", "/ci"]], "/ci/a/b.py", "src/a/b.py"),
        ([["/opt/lib", "*/site-packages"]], "/v/site-packages/a/b.py", "/opt/lib/a/b.py"),
    ],
)
def test_which_path_an_alias_means(groups: list[list[str]], path: str, expected: str) -> None:
    """As coverage.py: the first pattern counts that leads to a file which is there."""
    aliases = Aliases([("group", tuple(group)) for group in groups], root=HERE)
    there = {"src/a/b.py", "/opt/lib/a/b.py"}
    assert aliases.here(path, root="/elsewhere", exists=there.__contains__) == expected


def test_relative_paths_of_another_root(tmp_path: Path) -> None:
    """A path that is relative to the project there is looked at below that project's folder."""
    aliases = Aliases([("group", ("src", "/ci/proj/lib"))], root=HERE)
    assert aliases.here("lib/a.py", root="/ci/proj", exists={"src/a.py"}.__contains__) == "src/a.py"


def test_a_pattern_for_all_is_refused() -> None:
    """A group cannot stand for whole trees; the message names it."""
    with pytest.raises(UsageError, match=r"\[paths\] all: '/ci/\*'"):
        Aliases([("all", ("src", "/ci/*"))], root=HERE)


ONE, OTHER, EMPTY = b"1" * 16, b"2" * 16, b"0" * 16


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        pytest.param(
            {"/a/lib/x/y.py": ONE, "/a/lib/x/__init__.py": EMPTY},
            {"/b/lib/x/y.py": ONE, "/b/lib/x/__init__.py": EMPTY},
            {"/a/lib/x/y.py": "/b/lib/x/y.py", "/a/lib/x/__init__.py": "/b/lib/x/__init__.py"},
            id="a folder elsewhere, empty files included",
        ),
        pytest.param({"/a/__init__.py": EMPTY}, {"/b/__init__.py": EMPTY}, {}, id="empty files"),
        pytest.param({"/a/x.py": ONE}, {"/b/x.py": OTHER}, {}, id="another source"),
        pytest.param({"/a/x.py": ONE}, {"/b/z.py": ONE}, {}, id="another name"),
        pytest.param(
            {"one/x.py": ONE, "z.py": OTHER},
            {"other/x.py": ONE, "z.py": OTHER},
            {},
            id="two copies in one project",
        ),
        pytest.param(
            {"/a/x.py": ONE}, {"/b/x.py": ONE, "/c/x.py": ONE}, {}, id="nobody knows which one"
        ),
        pytest.param(
            {"/a/p/x.py": ONE},
            {"/b/p/x.py": ONE, "/c/x.py": ONE},
            {"/a/p/x.py": "/b/p/x.py"},
            id="the longer common end",
        ),
        pytest.param(
            {"/a/x.py": ONE, "/b/x.py": ONE}, {"/b/x.py": ONE}, {}, id="they have it as well"
        ),
    ],
)
def test_which_files_are_the_same(
    theirs: Mapping[str, bytes], ours: Mapping[str, bytes], expected: Mapping[str, str]
) -> None:
    """Files with a source of their own tell which folders are the same; doubt leaves them apart."""
    found = renamed(theirs.items(), ours.items(), telling=frozenset((ONE, OTHER)))
    assert found == expected


def test_data_is_combined_where_its_project_moved(tmp_path: Path) -> None:
    """A file outside of the project, at another place on each machine, is one file."""
    library = basket_of("/opt/py3.12/site-packages/shop/basket.py")
    moved = basket_of("/opt/py3.13/site-packages/shop/basket.py")
    one = shard(tmp_path / "a", tests={TEST: [8]}, files=[library])
    other = shard(tmp_path / "b", tests={TWO: [11]}, files=[moved])
    shutil.copy(one, tmp_path / "one.db")
    combined(tmp_path / "all.db", tmp_path / "one.db", other)
    ((path, _),) = told(tmp_path / "all.db").files
    assert path == library.path
