"""The tests of testtools, and of projects that use it, run against our names.

They come from source archives, which are fetched. What they import from testtools is ours where
we have it (`acceptance_names`). By hand: `python tests/acceptance.py test_testcase …`, or with
the name of a project, prints what fails and is not listed, and what is listed and passes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from acceptance_differences import DIFFERENCES, PEERS_PARTS, USERS
from peer_sources import fetch_source

__all__ = ["PROJECTS", "TESTTOOLS", "Acceptance", "Project", "run_acceptance"]

SHOWN = 12
"""Texts per module that are printed in full."""
HERE = Path(__file__).parent
IMPORT_FROM = re.compile(r"\bfrom testtools\b(?=[\w.]* import\b)")
TIMEOUT = re.compile(r"(def make_timeout\(self\):\s+return) 0\.0\d+")
"""Five milliseconds, within which a busy machine does not always come to a signal."""
IMPORT = re.compile(r"\bimport testtools\b(?!\.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Whose tests are run."""

    name: str
    version: str
    parts: tuple[str, ...]
    """Folders of the source archive that are run; what they import from testtools is replaced."""


TESTTOOLS = Project(name="testtools", version="2.9.1", parts=("tests",))
PROJECTS = {
    project.name: project
    for project in (
        Project(name="fixtures", version="4.3.2", parts=("fixtures", "tests")),
        Project(name="python-subunit", version="1.4.6", parts=("python/subunit", "python/tests")),
        Project(name="testresources", version="2.1.2", parts=("testresources", "tests")),
        Project(name="testscenarios", version="0.7.0", parts=("testscenarios", "tests", "doc")),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What came of one module's tests, or those of a project."""

    module: str
    outcomes: dict[str, str]
    """By the test's id within the module: '' if it passed, 'skipped: …', or what went wrong."""

    @property
    def passed(self) -> set[str]:
        return {name for name, text in self.outcomes.items() if not text}

    @property
    def skipped(self) -> set[str]:
        return {name for name, text in self.outcomes.items() if text.startswith("skipped: ")}

    @property
    def failed(self) -> dict[str, str]:
        return {
            name: text for name, text in self.outcomes.items() if text and name not in self.skipped
        }

    @property
    def unlisted(self) -> dict[str, str]:
        """What fails and has no reason to, with its text."""
        return {name: text for name, text in self.failed.items() if name not in self._listed}

    @property
    def outdated(self) -> set[str]:
        """What is listed and does not fail."""
        return set(self._listed) - set(self.failed)

    @property
    def _listed(self) -> dict[str, str]:
        return USERS.get(self.module) or DIFFERENCES.get(self.module, {})


def run_acceptance(
    modules: tuple[str, ...], folder: Path, *, project: Project = TESTTOOLS, whose: str = "ours"
) -> tuple[list[Acceptance], set[str]]:
    """What came of these modules of a project's tests, and which names came from testtools.

    Without modules, all tests are one. They run in a process of their own, on a copy in `folder`.
    For comparison, all names may be 'theirs'.
    """
    source = fetch_source(project.name, project.version)
    place = folder / f"{project.name}-{project.version}"  # testtools expects its name in paths
    for part in project.parts:
        shutil.copytree(source / part, place / Path(part).name)
    for text in source.glob("README*"):  # some run it as a doctest
        shutil.copy(text, place)
    for file in place.rglob("*.py"):
        code = file.read_text(encoding="utf-8")
        code = IMPORT_FROM.sub("from meant", code)
        code = IMPORT.sub("import meant as testtools", code)
        file.write_text(TIMEOUT.sub(r"\g<1> 0.1", code), encoding="utf-8")
    results = folder / "results.json"
    (place / "meant.py").write_text("import acceptance_names\n\nacceptance_names.install()\n")
    testtools = fetch_source(TESTTOOLS.name, TESTTOOLS.version)
    path = os.pathsep.join(map(str, (place, HERE, testtools)))
    subprocess.run(
        [sys.executable, str(HERE / "acceptance_child.py"), str(results), project.name, *modules],
        cwd=place,
        # python-subunit's test_add_tag knows nine of the twelve orders in which tags may come.
        env={**os.environ, "PYTHONPATH": path, "ACCEPTANCE_NAMES": whose, "PYTHONHASHSEED": "0"},
        check=True,
        timeout=300,
    )
    *lines, last = results.read_text().splitlines()
    found = [Acceptance(**json.loads(line)) for line in lines]
    return found, set(json.loads(last)["taken"])


def main(names: tuple[str, ...]) -> int:
    """Print the differences of modules and projects that are not as listed; 0 if there are none."""
    modules = tuple(name for name in names if name not in PROJECTS)
    found: list[Acceptance] = []
    taken: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        if modules:
            found, taken = run_acceptance(modules, Path(folder))
        for name in PROJECTS.keys() & set(names):
            more, used = run_acceptance((), Path(folder), project=PROJECTS[name])
            found += more
            taken |= used
    for result in found:
        for number, (name, text) in enumerate(result.unlisted.items()):
            shown = text if number < SHOWN else ""
            print(f"{'=' * 70}\nFAILS {result.module}.{name}\n{shown}")
        for name in sorted(result.outdated):
            print(f"PASSES {result.module}.{name}")
    foreign = sorted(name for name in taken if not name.startswith(PEERS_PARTS))
    print("taken from testtools, where ours might be:", *foreign)
    for result in found:
        counts = f"{len(result.passed)} of {len(result.outcomes)} pass"
        print(f"{result.module}: {counts}, {len(result.unlisted)} fail without a reason")
    return int(any(result.unlisted or result.outdated for result in found))


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or tuple(DIFFERENCES)))
