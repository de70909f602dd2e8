"""A data file to ask in SQL: two runs under two labels, three files, branches, odd names."""

from collections.abc import Iterator
from contextlib import contextmanager

from data_files import ADD_FORK, INIT, MODULE, NOON, REFUSE, DataFile, Measured, basket_of
from whotests.sql.sandbox import Sandbox
from whotests.types import FileState, Outcome, Phase, UnitKind

__all__ = ["ODD", "asked", "record_odd_shop", "sandbox"]

ODD = "src/sh'op/Bäsket %_[x]*.py"
"""A path with what SQL and its patterns treat in a way of their own."""

ONE_LINERS = Measured(
    path=ODD,
    text="def one(): return 1\ndef two(x): return 1 if x else 2\n\n\ndef three():\n    pass\n",
    statements=frozenset({1, 2, 5, 6}),
    units={
        "": (UnitKind.MODULE, 1, 6),
        "one": (UnitKind.FUNCTION, 1, 1),
        "two": (UnitKind.FUNCTION, 2, 2),
        "three": (UnitKind.FUNCTION, 5, 6),
    },
)

LEFT_OUT = Measured(
    path="src/shop/left_out.py",
    text="never = 1\n",
    statements=frozenset({1}),
    units={"": (UnitKind.MODULE, 1, 1)},
    state=FileState.NOT_IMPORTED,
)


def record_odd_shop(data: DataFile) -> None:
    """Runs under the labels '' and 'py3.13': the same tests, and what only one of them has."""
    basket = basket_of(branch=True)
    for measured in (basket, ONE_LINERS, LEFT_OUT):
        data.save(measured)
    for label, started in (("", NOON), ("py3.13", NOON + 5)):
        with data.run(started=started, branch=True, label=label) as run:
            for measured in (basket, ONE_LINERS, LEFT_OUT):
                run.file(measured)
            run.label("import", {**MODULE, (ODD, ""): [1, 2, 5]})
            run.label("", INIT)
            run.test("tests/test_b.py::test_new", INIT, phase=Phase.SETUP)
            run.test("tests/test_b.py::test_new", {**INIT, **ADD_FORK})
            run.test("tests/test_b.py::TEST_NEW", ADD_FORK)
            # Importing and calling in one context: the one line belongs to both units.
            run.test("tests/test_b.py::test_one['a'|%]", {(ODD, ""): [1, 2], (ODD, "one"): [1]})
            run.test("tests/test_b.py::test_nothing", {}, duration=None)
            if label:
                run.test("t.T.test_refuse", {**INIT, **REFUSE}, outcome=Outcome.FAILED)


@contextmanager
def sandbox(data: DataFile, **limits: float) -> Iterator[Sandbox]:
    """A place to ask, over the sources in the project's folder."""
    seconds = limits.get("seconds", 60.0)
    megabytes = int(limits.get("megabytes", 300))
    with (
        data.opened() as (reader, catalogue),
        Sandbox(reader, catalogue, seconds=seconds, megabytes=megabytes) as box,
    ):
        yield box


def asked(box: Sandbox, sql: str) -> list[tuple[object, ...]]:
    """All rows of an answer."""
    return list(box.ask(sql).rows)
