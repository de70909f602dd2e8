"""The suites that are compared: what to install, how to run them, and what differs by itself.

Every version is pinned. They were chosen for variety: runners, plugins, event loops, processes.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["SUITES", "TOOLS", "Suite", "named"]

TOOLS = ("pytest==9.2.0", "pytest-xdist==3.8.0", "coverage==7.17.3")
"""Installed beside every suite."""

HYPOTHESIS = "hypothesis==6.170.15"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One project's tests, or a part of them, and their runner."""

    name: str
    kind: str
    """What makes it worth a comparison, for the table."""
    project: str
    """The distribution's name on the package index."""
    version: str
    package: str
    """The import package that is measured."""
    runner: Literal["pytest", "unittest", "trial", "django"] = "pytest"
    arguments: tuple[str, ...]
    """What the runner is given."""
    settings: str = "pyproject.toml"
    """The file with pytest's settings: without one, that of a folder above would be found."""
    tests_in_sdist: bool = True
    """The tests come unpacked from the source archive; otherwise they are inside the wheel."""
    shadows: tuple[str, ...] = ()
    """Folders of the source archive that would be imported in place of the installed package."""
    extras: tuple[str, ...] = ()
    """Further distributions that the tests need."""
    folder: str = "."
    """Where in the source archive the runner starts."""
    ordered: bool = True
    """Tests run in one process, so that their order is comparable."""
    seconds: int = 30
    """About what it takes plainly: long ones are begun first."""

    @property
    def requirement(self) -> str:
        """The pinned requirement of the project itself."""
        return f"{self.project}=={self.version}"


SUITES = (
    Suite(
        name="packaging",
        kind="very many short tests, parametrised",
        project="packaging",
        version="26.3",
        package="packaging",
        arguments=(
            "tests/test_markers.py",
            "tests/test_metadata.py",
            "tests/test_requirements.py",
            "tests/test_tags.py",
            "tests/test_utils.py",
            "--hypothesis-seed=0",
        ),
        shadows=("src",),
        extras=("pretend==1.0.9", "tomli-w==1.2.0", HYPOTHESIS),
        seconds=20,
    ),
    Suite(
        name="networkx",
        kind="pytest-xdist with two workers, and doctests",
        project="networkx",
        version="3.6.1",
        package="networkx",
        arguments=("-n2", "--doctest-modules", "--pyargs", "networkx.algorithms"),
        tests_in_sdist=False,
        ordered=False,
        seconds=60,
    ),
    Suite(
        name="django",
        kind="Django's own runner and test cases, databases",
        project="django",
        version="5.2.19",
        package="django",
        runner="django",
        arguments=(
            "utils_tests",
            "template_tests",
            "forms_tests",
            "model_fields",
            "urlpatterns_reverse",
            "queries",
            "asgi",
            "async",
        ),
        shadows=("django",),
        extras=("jinja2==3.1.6", "pytz==2026.6"),
        folder="tests",
        seconds=25,
    ),
    Suite(
        name="twisted",
        kind="trial: deferreds, a reactor, sockets",
        project="twisted",
        version="26.10.0",
        package="twisted",
        runner="trial",
        arguments=(
            "twisted.test.test_defer",
            "twisted.test.test_defgen",
            "twisted.test.test_failure",
            "twisted.test.test_task",
            "twisted.logger",
            "twisted.names.test",
            "twisted.positioning",
            "twisted.protocols.test",
            "twisted.python.test",
            "twisted.trial.test",
            "twisted.web.test",
            "twisted.words.test",
        ),
        tests_in_sdist=False,
        extras=("pyhamcrest==2.1.0", HYPOTHESIS),
        seconds=15,
    ),
    Suite(
        name="testtools",
        kind="unittest with testtools' cases, about results and runners themselves",
        project="testtools",
        version="2.9.1",
        package="testtools",
        runner="unittest",
        arguments=("tests.test_suite",),
        shadows=("testtools",),
        extras=("fixtures==4.3.2", "testscenarios==0.7.0", "twisted==26.10.0"),
        seconds=5,
    ),
    Suite(
        name="docutils",
        kind="unittest, discovered; large functional tests",
        project="docutils",
        version="0.23",
        package="docutils",
        runner="unittest",
        arguments=("discover",),
        folder="test",
        seconds=8,
    ),
    Suite(
        name="more-itertools",
        kind="unittest, discovered; generators and threads",
        project="more-itertools",
        version="10.5.0",
        package="more_itertools",
        runner="unittest",
        arguments=("discover", "-s", "tests", "-t", "."),
        shadows=("more_itertools",),
        seconds=4,
    ),
    Suite(
        name="jinja2",
        kind="a compiler whose code objects are looked at; trio and asyncio",
        project="jinja2",
        version="3.1.6",
        package="jinja2",
        arguments=("tests",),
        shadows=("src",),
        extras=("trio==0.35.0", "markupsafe==3.0.4"),
        seconds=4,
    ),
    Suite(
        name="attrs",
        kind="hypothesis; generated classes, pickling, introspection",
        project="attrs",
        version="26.1.0",
        package="attr",
        arguments=("tests", "--hypothesis-seed=0"),
        shadows=("src",),
        extras=(HYPOTHESIS, "cloudpickle==3.1.2"),
        seconds=12,
    ),
    Suite(
        name="click",
        kind="replaced standard streams, exits, environment",
        project="click",
        version="8.5.1",
        package="click",
        arguments=("tests",),
        shadows=("src",),
        seconds=9,
    ),
    Suite(
        name="structlog",
        kind="pytest-asyncio; frames and tracebacks that are looked at",
        project="structlog",
        version="26.1.0",
        package="structlog",
        arguments=("tests",),
        shadows=("src",),
        extras=(
            "pytest-asyncio==1.5.0",
            "freezegun==1.5.5",
            "time-machine==3.6.0",
            "simplejson==4.3.0",
            "pretend==1.0.9",
            "rich==15.0.0",
        ),
        seconds=5,
    ),
    Suite(
        name="anyio",
        kind="asyncio and trio: tasks, threads; blockbuster, which forbids blocking calls",
        project="anyio",
        version="4.16.0",
        package="anyio",
        # Those about sockets and subprocesses fail plainly where the network is not all there,
        # and what they leave open is told of in whatever test the garbage collector comes by.
        arguments=(
            *(
                f"tests/test_{part}.py"
                for part in (
                    "concurrency_utils",
                    "contextmanagers",
                    "debugging",
                    "eventloop",
                    "fileio",
                    "from_thread",
                    "itertools",
                    "lowlevel",
                    "synchronization",
                    "taskgroups",
                    "tempfile",
                    "to_thread",
                )
            ),
            *(f"tests/streams/test_{part}.py" for part in ("buffered", "file", "memory", "text")),
            "-k",
            "not uvloop",
        ),
        shadows=("src",),
        extras=(
            "blockbuster==1.5.29",
            "exceptiongroup==1.3.1",
            "psutil==7.2.2",
            "pytest-mock==3.17.0",
            "pytest-timeout==2.4.0",
            "trio==0.35.0",
            "trustme==1.2.1",
            "truststore==0.10.5",
            HYPOTHESIS,
        ),
        seconds=20,
    ),
    Suite(
        name="werkzeug",
        kind="a server in a process of its own; threads",
        project="werkzeug",
        version="3.1.9",
        package="werkzeug",
        arguments=("tests",),
        shadows=("src",),
        extras=("pytest-timeout==2.4.0", "ephemeral-port-reserve==1.1.4", "cryptography==50.0.2"),
        seconds=15,
    ),
    Suite(
        name="marshmallow",
        kind="descriptors and metaclasses",
        project="marshmallow",
        version="4.4.0",
        package="marshmallow",
        arguments=("tests",),
        shadows=("src",),
        extras=("simplejson==4.3.0",),
        seconds=4,
    ),
    Suite(
        name="idna",
        kind="subtests by the thousand",
        project="idna",
        version="3.20",
        package="idna",
        arguments=("tests",),
        shadows=("idna",),
        extras=(HYPOTHESIS,),
        seconds=12,
    ),
    Suite(
        name="parso",
        kind="a parser with caches on disk",
        project="parso",
        version="0.8.7",
        package="parso",
        arguments=("test",),
        settings="pytest.ini",
        shadows=("parso",),
        seconds=20,
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
