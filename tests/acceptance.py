"""testtools' own tests, run against our names.

They come from its source archive, which is fetched. What they import from testtools is ours
where we have it (`acceptance_names`). By hand: `python tests/acceptance.py test_testcase …`
prints what fails and is not listed, with the whole text, and what is listed and passes.
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

from acceptance_differences import DIFFERENCES
from peer_sources import fetch_source

__all__ = ["Acceptance", "run_acceptance"]

VERSION = "2.9.1"
SHOWN = 12
"""Texts per module that are printed in full."""
HERE = Path(__file__).parent
IMPORT_FROM = re.compile(r"\bfrom testtools\b(?=[\w.]* import\b)")
IMPORT = re.compile(r"\bimport testtools\b(?!\.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What came of one module's tests."""

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
        listed = DIFFERENCES.get(self.module, {})
        return {name: text for name, text in self.failed.items() if name not in listed}

    @property
    def outdated(self) -> set[str]:
        """What is listed and does not fail."""
        return set(DIFFERENCES.get(self.module, {})) - set(self.failed)


def run_acceptance(
    modules: tuple[str, ...], folder: Path, *, whose: str = "ours"
) -> tuple[list[Acceptance], set[str]]:
    """What came of these modules of testtools' tests, and which names came from testtools.

    They run in a process of their own, on a copy in `folder`, which is empty. For comparison,
    all names may be 'theirs'.
    """
    source = fetch_source("testtools", VERSION)
    place = folder / f"testtools-{VERSION}"  # their expectations have its name in paths
    shutil.copytree(source / "tests", place / "tests")
    for file in place.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        text = IMPORT_FROM.sub("from meant", text)
        file.write_text(IMPORT.sub("import meant as testtools", text), encoding="utf-8")
    results = folder / "results.json"
    path = os.pathsep.join((str(place), str(HERE), str(source)))
    subprocess.run(
        [sys.executable, str(HERE / "acceptance_child.py"), str(results), whose, *modules],
        cwd=place,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        timeout=300,
    )
    *lines, last = results.read_text().splitlines()
    found = [Acceptance(**json.loads(line)) for line in lines]
    return found, set(json.loads(last)["taken"])


def main(modules: tuple[str, ...]) -> int:
    """Print the differences of modules that are not as listed; 0 if there are none."""
    with tempfile.TemporaryDirectory() as folder:
        found, taken = run_acceptance(modules, Path(folder))
    for result in found:
        for number, (name, text) in enumerate(result.unlisted.items()):
            shown = text if number < SHOWN else ""
            print(f"{'=' * 70}\nFAILS {result.module}.{name}\n{shown}")
        for name in sorted(result.outdated):
            print(f"PASSES {result.module}.{name}")
    foreign = sorted(name for name in taken if not name.startswith("matchers."))
    print("taken from testtools, beside matchers:", *foreign)
    for result in found:
        counts = f"{len(result.passed)} of {len(result.outcomes)} pass"
        print(f"{result.module}: {counts}, {len(result.unlisted)} fail without a reason")
    return int(any(result.unlisted or result.outdated for result in found))


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or tuple(DIFFERENCES)))
