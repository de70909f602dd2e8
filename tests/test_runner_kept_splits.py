"""What shards go by stays the same from one shard to the next, whatever runs in between."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whotests.errors import MachineError
from whotests.runner.choosing.kept_splits import KeptSplits
from whotests.runner.choosing.sharding import part_of
from whotests.runner.items import Item, Key
from whotests.runner.wanted import Shard

NAMES = [f"t{n}" for n in range(30)]


def items_of(durations: dict[str, float]) -> list[Item]:
    """All tests, some of which were timed."""
    return [Item(Key(0, name), "", durations.get(name)) for name in NAMES]


@given(
    st.integers(2, 5),
    st.dictionaries(st.sampled_from(NAMES), st.floats(0.001, 9)),
    st.data(),
)
def test_shards_one_after_the_other(
    tmp_path_factory: pytest.TempPathFactory,
    of: int,
    durations: dict[str, float],
    data: st.DataObject,
) -> None:
    """In one folder, where each shard changes the known durations of its tests, all shards
    together have each test once."""
    splits = KeptSplits(tmp_path_factory.mktemp("splits"))
    ran: list[str] = []
    for number in data.draw(st.permutations(range(1, of + 1))):
        items = items_of(durations)
        mine = part_of(items, Shard(number, of), splits.weights(items)).items
        ran += [item.key.test_id for item in mine]
        durations |= {
            item.key.test_id: data.draw(st.floats(0.001, 9), label="duration") for item in mine
        }
    assert sorted(ran) == sorted(NAMES)


def test_the_same_tests_are_shared_out_as_before(tmp_path: Path) -> None:
    """Other durations of the same tests change nothing, a new test does."""
    splits = KeptSplits(tmp_path)
    first = items_of(dict.fromkeys(NAMES, 1.0))
    kept = splits.weights(first)
    assert KeptSplits(tmp_path).weights(items_of(dict.fromkeys(NAMES, 5.0))) == kept
    more = [*items_of(dict.fromkeys(NAMES, 5.0)), Item(Key(0, "new"), "", 1.0)]
    assert splits.weights(more)[Key(0, NAMES[0])] == 5_000_000


def test_once_all_tests_are_timed_they_are_shared_out_anew(tmp_path: Path) -> None:
    """What was shared out by number gives way to durations, once."""
    splits = KeptSplits(tmp_path)
    assert set(splits.weights(items_of({})).values()) == {1_000_000}
    assert set(splits.weights(items_of({NAMES[0]: 3.0})).values()) == {1_000_000}
    assert set(splits.weights(items_of(dict.fromkeys(NAMES, 3.0))).values()) == {3_000_000}
    assert set(splits.weights(items_of({})).values()) == {3_000_000}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:40],
        lambda text: "[]",
        lambda text: json.dumps({"microseconds": [1, 2]}),
        lambda text: text.replace("1000000", '"x"', 1),
        lambda text: text.replace("1000000", "-1", 1),
    ],
)
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: Callable[[str], str]) -> None:
    """A file that somebody has spoilt is no word that counts, and does not stay."""
    splits = KeptSplits(tmp_path)
    splits.weights(items_of({}))
    (file,) = tmp_path.iterdir()
    file.write_text(damage(file.read_text()))
    kept = splits.weights(items_of(dict.fromkeys(NAMES, 2.0)))
    assert set(kept.values()) == {2_000_000}
    assert splits.weights(items_of(dict.fromkeys(NAMES, 4.0))) == kept


def test_few_files_are_kept(tmp_path: Path) -> None:
    """Of many selections of tests the last ones are kept."""
    splits = KeptSplits(tmp_path)
    for number in range(25):
        splits.weights([Item(Key(0, f"t{number}"))])
    assert len(list(tmp_path.iterdir())) == 20


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """It is named: the next shard could not go by the same."""
    (tmp_path / "splits").write_text("a file")
    with pytest.raises(MachineError, match="splits"):
        KeptSplits(tmp_path / "splits").weights(items_of({}))
