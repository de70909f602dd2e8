"""The real suites that are measured: what to install, where their tests are, what to run.

Every version is pinned, so that figures of different days speak of the same work.
"""

from dataclasses import dataclass

__all__ = ["MONITORING_TOOLS", "SUITES", "TOOLS", "Suite", "named"]

TOOLS = ("pytest==9.2.0", "coverage==7.17.3", "pytest-cov==7.1.0")
"""Installed beside every suite."""

MONITORING_TOOLS = ("slipcover==1.1.0",)
"""Too, where Python has `sys.monitoring` (3.12)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One project's tests, or a part of them that takes a few seconds."""

    name: str
    kind: str
    """What sort of work it is, for the table."""
    project: str
    """The distribution's name on the package index."""
    version: str
    package: str
    """The import package that is measured."""
    arguments: tuple[str, ...]
    """What pytest is given to select the tests."""
    tests_in_sdist: bool = True
    """The tests come unpacked from the source archive; otherwise they are inside the wheel."""
    shadows: tuple[str, ...] = ()
    """Folders of the source archive that would be imported in place of the installed package."""
    extras: tuple[str, ...] = ()
    """Further distributions that the tests need."""

    @property
    def requirement(self) -> str:
        """The pinned requirement of the project itself."""
        return f"{self.project}=={self.version}"


SUITES = (
    Suite(
        name="jinja2",
        kind="a compiler and its runtime, hashing of code objects",
        project="jinja2",
        version="3.1.6",
        package="jinja2",
        arguments=("tests",),
        shadows=("src",),
        extras=("trio==0.35.0", "markupsafe==3.0.4"),
    ),
    Suite(
        name="networkx",
        kind="CPU-bound pure Python: graph algorithms",
        project="networkx",
        version="3.6.1",
        package="networkx",
        arguments=(
            "--pyargs",
            "networkx.algorithms.flow",
            "networkx.algorithms.centrality",
            "networkx.algorithms.shortest_paths",
        ),
        tests_in_sdist=False,
    ),
    Suite(
        name="packaging",
        kind="many short tests (over 10,000)",
        project="packaging",
        version="26.3",
        package="packaging",
        arguments=tuple(
            f"tests/test_{part}.py"
            for part in ("specifiers", "requirements", "markers", "tags", "metadata", "utils")
        ),
        shadows=("src",),
        extras=("pretend==1.0.9", "tomli-w==1.2.0"),
    ),
    Suite(
        name="sympy",
        kind="CPU-bound pure Python: symbolic sets over a large code base",
        project="sympy",
        version="1.14.0",
        package="sympy",
        arguments=("--pyargs", "sympy.sets"),
        tests_in_sdist=False,
        extras=("mpmath==1.3.0", "hypothesis==6.170.15"),
    ),
    Suite(
        name="sqlparse",
        kind="a tokenizer: generators and deep calls",
        project="sqlparse",
        version="0.6.1",
        package="sqlparse",
        arguments=("tests",),
        shadows=("sqlparse",),
    ),
    Suite(
        name="click",
        kind="command lines: replaced streams, exits, small functions",
        project="click",
        version="8.5.1",
        package="click",
        arguments=("tests",),
        shadows=("src",),
    ),
)


def named(names: tuple[str, ...]) -> tuple[Suite, ...]:
    """The suites of those names in the table's order; all of them for no name.

    Raises ValueError for a name that no suite has.
    """
    known = {suite.name for suite in SUITES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no suite {unknown[0]!r}; there are {', '.join(sorted(known))}")
    return tuple(suite for suite in SUITES if not names or suite.name in names)
