"""Tables with rows as SQLite's virtual tables: what a query asks for is handed down to them.

May import apsw. Refuses to know any table.

SQLite offers conditions when it plans a query (`BestIndexObject`); the text that names the taken
ones comes back with their values when rows are wanted (`Filter`). All of them are looked at again
by SQLite, so that only what is surely meant the same way here is taken.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeGuard

import apsw

from whotests.sql.relations import Relation, Row
from whotests.sql.tables import Column, Value
from whotests.sql.wanted import Condition, Wanted

__all__ = ["create_tables"]

_IS: Final = {apsw.SQLITE_INDEX_CONSTRAINT_EQ: "=", apsw.SQLITE_INDEX_CONSTRAINT_IS: "s"}
_NULL: Final = apsw.SQLITE_INDEX_CONSTRAINT_ISNULL
_ORDER: Final = {
    apsw.SQLITE_INDEX_CONSTRAINT_LT: "<",
    apsw.SQLITE_INDEX_CONSTRAINT_LE: "<=",
    apsw.SQLITE_INDEX_CONSTRAINT_GT: ">",
    apsw.SQLITE_INDEX_CONSTRAINT_GE: ">=",
}
_PATTERNS: Final = {
    apsw.SQLITE_INDEX_CONSTRAINT_GLOB: "glob",
    apsw.SQLITE_INDEX_CONSTRAINT_LIKE: "like",
}
_EXACT: Final = float(1 << 53)
_TAKEN: Final = {**_IS, **_ORDER, **_PATTERNS, _NULL: "null"}


def create_tables(
    connection: apsw.Connection, relations: Sequence[Relation], *, schema: str = "main"
) -> None:
    """Each of these as a table of the schema, which lives in memory."""
    for relation in relations:
        name = relation.table.name
        module = f"whotests_{schema}_{name}"
        # apsw calls what it is given by the names of SQLite's own interface.
        connection.create_module(
            module,
            _Module(relation),  # type: ignore[arg-type]  # without what only writing needs
            use_bestindex_object=True,
            eponymous=_has_parameters(relation),
            read_only=True,
        )
        connection.execute(f'CREATE VIRTUAL TABLE "{schema}"."{name}" USING "{module}"')


def _has_parameters(relation: Relation) -> bool:
    return any(column.parameter for column in relation.table.columns)


def _declared(relation: Relation) -> str:
    columns = [
        f'"{column.name}" {column.type}{" HIDDEN" if column.parameter else ""}'
        for column in relation.table.columns
    ]
    keys = ", ".join(f'"{name}"' for name in relation.table.key)
    # Without row ids, which nothing here has: SQLite would tell rows apart by them.
    return f"CREATE TABLE it ({', '.join(columns)}, PRIMARY KEY ({keys})) WITHOUT ROWID"


class _Module:
    """What makes a virtual table of a relation."""

    def __init__(self, relation: Relation) -> None:
        self._relation = relation

    def Create(  # noqa: N802
        self,
        connection: apsw.Connection,
        modulename: str,
        databasename: str,
        tablename: str,
        *args: Any,
    ) -> tuple[str, "_Table"]:
        return _declared(self._relation), _Table(self._relation)

    Connect = Create


class _Table:
    """One table in one connection."""

    def __init__(self, relation: Relation) -> None:
        self._relation = relation
        self._columns = relation.table.columns

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:  # noqa: N802
        """Takes the conditions that it understands, and tells what that costs."""
        taken: list[str] = []
        known: set[str] = set()
        hinted: set[str] = set()
        for place in range(info.nConstraint):
            kind = _TAKEN.get(info.get_aConstraint_op(place))
            number = info.get_aConstraint_iColumn(place)
            if kind is None or not 0 <= number < len(self._columns):
                continue
            column = self._columns[number]
            if not info.get_aConstraint_usable(place):
                continue
            if kind in ("=", "s"):
                if info.get_aConstraint_collation(place) != "BINARY":
                    continue
                if info.get_aConstraintUsage_in(place):
                    info.set_aConstraintUsage_in(place, True)
                    kind = "i"
                known.add(column.name)
            elif kind == "null":
                known.add(column.name)
            elif kind in _ORDER.values() and column.type != "INTEGER":
                continue
            else:
                hinted.add(column.name)
            taken.append(f"{number}:{kind}")
            info.set_aConstraintUsage_argvIndex(place, len(taken))
            if column.parameter:
                info.set_aConstraintUsage_omit(place, True)
        estimate = self._relation.estimate(frozenset(known), frozenset(hinted))
        if estimate is None:
            return False
        used = ",".join(str(number) for number in sorted(info.colUsed))
        info.idxStr = f"{used};{','.join(taken)}"
        info.estimatedRows = estimate.rows
        info.estimatedCost = estimate.cost
        if estimate.unique:
            info.idxFlags = apsw.SQLITE_INDEX_SCAN_UNIQUE
        return True

    def Open(self) -> "_Cursor":  # noqa: N802
        return _Cursor(self._relation)

    def Disconnect(self) -> None:  # noqa: N802
        pass

    Destroy = Disconnect


class _Cursor:
    """One walk over the rows of a table."""

    def __init__(self, relation: Relation) -> None:
        self._relation = relation
        self._rows: Iterator[Row] = iter(())
        self._row: Row | None = None

    def Filter(self, number: int, text: str, values: Sequence[Any]) -> None:  # noqa: N802
        columns = self._relation.table.columns
        used, _, taken = text.partition(";")
        conditions = [
            condition
            for part, value in zip(taken.split(",") if taken else (), values, strict=True)
            if (condition := _condition(columns, part, value)) is not None
        ]
        names = frozenset(
            columns[int(place)].name
            for place in used.split(",")
            if place and int(place) < len(columns)
        )
        self._rows = self._relation.rows(Wanted(conditions, columns=names))
        self.Next()

    def Next(self) -> None:  # noqa: N802
        self._row = next(self._rows, None)

    def Eof(self) -> bool:  # noqa: N802
        return self._row is None

    def Column(self, number: int) -> Value:  # noqa: N802
        assert self._row is not None
        return self._row[number]

    def Close(self) -> None:  # noqa: N802
        self._rows = iter(())


def _condition(columns: Sequence[Column], part: str, value: Any) -> Condition | None:
    """What a taken condition means for its column; None where it has to be left to SQLite."""
    number, _, kind = part.partition(":")
    column = columns[int(number)]
    if kind == "null":
        return Condition(column.name, "in", frozenset((None,)))
    if kind in ("=", "s", "i"):
        values = value if kind == "i" else (value,)
        converted = [_converted(column, one) for one in values if one is not None or kind == "s"]
        if any(one is _UNLIKE for one in converted):
            return None
        return Condition(column.name, "in", frozenset(converted))
    if kind in ("glob", "like"):
        if not isinstance(value, str) or column.type != "TEXT":
            return None
        matching = apsw.strglob if kind == "glob" else apsw.strlike
        return Condition(
            column.name,
            "matches",
            # SQLite's functions answer 0 for yes.
            matches=lambda text: isinstance(text, str) and _matches(matching, value, text),
        )
    if not _is_exact(value):
        return None
    # 1 < 1.5: of whole numbers, that is more than 1; and of those below 1.5, the last is 1.
    whole = math.floor(value)
    if kind in ("<", ">") and whole != value:
        kind = "<=" if kind == "<" else ">"
    elif kind == ">=" and whole != value:
        kind = ">"
    assert kind in ("<", "<=", ">", ">=")
    return Condition(column.name, kind, bound=whole)  # type: ignore[arg-type]


def _is_exact(value: Any) -> TypeGuard[int | float]:
    """Whether it is a number that a whole number can be compared with, without rounding."""
    return isinstance(value, int) or (isinstance(value, float) and abs(value) < _EXACT)


def _matches(matching: Any, pattern: str, text: str) -> bool:
    return bool(matching(pattern, text) == 0)


_UNLIKE: Final[Value] = b"left to SQLite"
"""A value that SQLite would convert, or compare, in a way of its own."""


def _converted(column: Column, value: Any) -> Value:
    """The value as the column would hold it."""
    if value is None:
        return None
    if column.type == "TEXT":
        return value if isinstance(value, str) else _UNLIKE
    if column.type == "INTEGER":
        if isinstance(value, float) and value.is_integer() and _is_exact(value):
            return int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
            return int(value)
        return value if isinstance(value, int) else _UNLIKE
    return _UNLIKE
