"""What people write means what they mean, or an error says what it could have meant."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from data_files import BASKET, SOURCE, DataFile, Measured, basket_of
from whotests.errors import UsageError
from whotests.query.files import Catalogue
from whotests.types import UnitKind

SHELF = Measured(
    path="src/shop/store/shelf.py",
    text="def put():\n    def inner():\n        pass\n    return inner\n",
    statements=frozenset({1, 2, 3, 4}),
    units={
        "": (UnitKind.MODULE, 1, 4),
        "put": (UnitKind.FUNCTION, 1, 4),
        "put.<locals>.inner": (UnitKind.FUNCTION, 2, 3),
    },
)
PACKAGE = Measured(
    path="src/shop/__init__.py",
    text="",
    statements=frozenset(),
    units={"": (UnitKind.MODULE, 1, 1)},
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    data = DataFile(tmp_path)
    files = (basket_of(), basket_of("lib/basket.py", comment="#\n"), SHELF, PACKAGE)
    with data.run() as run:
        for file in files:
            data.save(file)
            run.file(file)
    (tmp_path / "src" / "shop" / "other.py").touch()
    with data.opened() as (_, catalogue):
        yield catalogue


@pytest.mark.parametrize(
    ("text", "path", "lines"),
    [
        (SOURCE, SOURCE, (1, 18)),
        (f"./{SOURCE}", SOURCE, (1, 18)),
        (f"src/../{SOURCE}", SOURCE, (1, 18)),
        (f"{SOURCE}:12", SOURCE, (12, 12)),
        (f"{SOURCE}:10-15", SOURCE, (10, 15)),
        (f"{SOURCE}::Basket.add", SOURCE, (10, 15)),
        (f"{SOURCE}::Basket::add", SOURCE, (10, 15)),
        ("shelf.py", SHELF.path, (1, 4)),
        ("store/shelf.py:2", SHELF.path, (2, 2)),
        ("shop.basket", SOURCE, (1, 18)),
        ("shop.basket.Basket", SOURCE, (4, 18)),
        ("shop.basket.Basket.add", SOURCE, (10, 15)),
        ("shop.store.shelf.put.inner", SHELF.path, (2, 3)),
        (f"{SHELF.path}::put.<locals>.inner", SHELF.path, (2, 3)),
        ("shop", PACKAGE.path, (1, 0)),
        ("put", SHELF.path, (1, 4)),
    ],
)
def test_meaning(catalogue: Catalogue, text: str, path: str, lines: tuple[int, int]) -> None:
    """Each way to write a target means one file and its lines."""
    target = catalogue.target(text)
    assert (target.file.path, (target.first_line, target.last_line)) == (path, lines)


def test_absolute_path(catalogue: Catalogue, tmp_path: Path) -> None:
    """An absolute path means the same file."""
    assert catalogue.target(str(tmp_path / SOURCE)).file.path == SOURCE
    assert catalogue.target(f"{tmp_path / SOURCE}:3").first_line == 3


def test_path_relative_to_a_subfolder(tmp_path: Path) -> None:
    """A path is relative to the folder where one is, before the project's root."""
    data = DataFile(tmp_path)
    with data.run() as run:
        for path in ("basket.py", "src/basket.py"):
            run.file(basket_of(path))
    with data.opened() as (reader, _):
        inside = Catalogue(reader, data, cwd=tmp_path / "src", roots=(tmp_path,))
        assert inside.target("basket.py").file.path == "src/basket.py"
        assert inside.target("../basket.py").file.path == "basket.py"


def test_windows_drive(tmp_path: Path) -> None:
    """A colon after a drive's letter is no line number, the last one is."""
    data = DataFile(tmp_path)
    with data.run() as run:
        run.file(basket_of("C:/code/basket.py"))
    with data.opened() as (_, catalogue):
        assert catalogue.target("C:/code/basket.py:7").first_line == 7
        assert catalogue.target(r"C:\code\basket.py:7-8").last_line == 8
        assert catalogue.target("C:/code/basket.py").last_line == 18


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("src/shop/baskets.py", "is no file of the data (nearest: src/shop/basket.py"),
        ("src/shop/baskets.py:3", "is no file of the data (nearest: src/shop/basket.py"),
        ("basket.py", "fits several files: lib/basket.py, src/shop/basket.py; give more"),
        ("src/shop", "is a folder; name a file in it"),
        ("src/shop/other.py", "was not measured; run again with its folder"),
        (f"{SOURCE}:19", f"{SOURCE} has the lines 1 to 18"),
        (f"{PACKAGE.path}:1", f"{PACKAGE.path} is empty (as it was recorded)"),
        (f"{SOURCE}:0", f"{SOURCE} has the lines 1 to 18"),
        (f"{SOURCE}:9-3", f"run backwards; write the smaller first: {SOURCE}:3-9"),
        (f"{SOURCE}::Basket.ad", "has no function or class 'Basket.ad' (nearest: Basket.add"),
        ("shop.basket.Basket.ad", "(nearest: shop.basket.Basket.add"),
        ("Basket.add", "fits several things: lib/basket.py::Basket.add, src/shop/basket.py::Bask"),
        (
            "shop.put",
            "is no file, module, function or class of the data (nearest: shop.store.shelf.put",
        ),
        (
            f"{SOURCE}:add",
            f"come lines, as in {SOURCE}:12 or {SOURCE}:12-40; functions and classes",
        ),
        (" ", "the target is empty; name a file"),
        ("nothing.like.it", "is no file, module, function or class of the data; `whotests report`"),
    ],
)
def test_errors(catalogue: Catalogue, text: str, message: str) -> None:
    """What matches nothing, or several things, is an error with the next step."""
    with pytest.raises(UsageError) as caught:
        catalogue.target(text)
    assert message in str(caught.value)


def test_redefined_name_means_all_of_its_definitions(tmp_path: Path) -> None:
    """A property and its setter share a name: asking for it asks for both."""
    data = DataFile(tmp_path)
    both = Measured(
        path="a.py",
        text=BASKET,
        statements=frozenset({7, 8, 10, 11}),
        units={
            "": (UnitKind.MODULE, 1, 18),
            "A.x": (UnitKind.FUNCTION, 7, 8),
            "A.y": (UnitKind.FUNCTION, 9, 9),
        },
    )
    with data.run() as run:
        run.file(both)
        run.file(
            Measured(
                path="b.py",
                text=BASKET,
                statements=both.statements,
                units={**both.units, "A.z": (UnitKind.FUNCTION, 10, 11)},
            )
        )
    with data.opened() as (_, catalogue):
        assert len(catalogue.target("b.py::A.z").units) == 1
        assert catalogue.target("b.A.z").lines == 0b1100_0000_0000
