"""What the tests of a project need of an environment, and what a machine lacks of it."""

import json
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import (
    Distribution,
    PackageNotFoundError,
    distribution,
    distributions,
    packages_distributions,
)
from pathlib import Path
from platform import python_implementation, python_version
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from whotests import __version__

__all__ = ["Editable", "Environment", "Unfit", "editable_distributions", "environment_here"]

_OURS = "whotests"
_FRAMEWORKS = {
    "pytest": ("pytest",),
    "unittest": (),
    "trial": ("twisted",),
    "django": ("django",),
}
_NAMED = 8
"""Distributions that a message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What there is here, and must be there."""

    python: str
    implementation: str
    platform: str
    distributions: Mapping[str, str]
    """Names as indexes normalise them -> versions, of those that the tests need."""

    def unfit(self, survey: Mapping[str, Any]) -> "Unfit":
        """What keeps tests from running on a machine that `survey` tells of."""
        there: Mapping[str, str] = survey["distributions"]
        refused = []
        if survey["problem"]:
            refused.append(f"its temporary folder cannot be used: {survey['problem']}")
        here, its = _minor(self.python), _minor(survey["python"])
        if (self.implementation, here) != (survey["implementation"], its):
            refused.append(
                f"it has {survey['implementation']} {survey['python']}, and this command runs on "
                f"{self.implementation} {self.python}; start its worker with the latter"
            )
        if there.get(_OURS) != __version__:
            refused.append(
                f"it has {f'whotests {there[_OURS]}' if _OURS in there else 'no whotests'}; "
                f"install whotests {__version__} there"
            )
        missing = [name for name in self.distributions if name not in there]
        if missing:
            wanted = " ".join(f"'{name}=={self.distributions[name]}'" for name in missing)
            refused.append(
                f"it lacks {_listed(missing)}, which the tests need; there, run "
                f"`{survey['executable']} -m pip install {wanted}`"
            )
        other = [
            f"{name} {there[name]} (here {version})"
            for name, version in self.distributions.items()
            if there.get(name, version) != version
        ]
        notes = []
        if other:
            notes.append(f"it has other versions of what the tests need: {_listed(other)}")
        if survey["platform"] != self.platform:
            notes.append(f"its platform is {survey['platform']}, and here it is {self.platform}")
        return Unfit(tuple(refused), tuple(notes))


@dataclass(frozen=True, slots=True)
class Unfit:
    """What is wrong with a machine, in sentences that follow its name."""

    refused: tuple[str, ...]
    """Why no test can run there."""
    notes: tuple[str, ...]
    """Why tests may end otherwise there."""


@dataclass(frozen=True, slots=True)
class Editable:
    """A distribution of the project itself, that is imported from its own folder."""

    name: str
    folder: Path
    metadata: Path | None
    """Its `.dist-info` folder, where entry points and the version are."""


def environment_here(imported: Collection[str], *, root: Path, hosts: Iterable[str]) -> Environment:
    """What is installed here and needed by a project in the folder `root` that imports these
    names, for suites of these hosts: their distributions, what those require, and pytest's
    plugins."""
    providers = packages_distributions()
    hosts = frozenset(hosts)
    wanted = {each for name in imported for each in providers.get(name, ())}
    wanted.update(name for host in hosts for name in _FRAMEWORKS.get(host, ()))
    if "pytest" in hosts:
        wanted.update(
            each.name for each in distributions() if each.entry_points.select(group="pytest11")
        )
    own = {_normal(each.name) for each in editable_distributions(root)} | {_OURS}
    return Environment(
        python=python_version(),
        implementation=python_implementation(),
        platform=sys.platform,
        distributions=dict(sorted(_with_requirements(wanted, but=own).items())),
    )


def editable_distributions(root: Path) -> list[Editable]:
    """Those that are installed here as they are in the project's folder."""
    found = []
    for each in distributions():
        text = each.read_text("direct_url.json")
        if not text:
            continue
        told = json.loads(text)
        if told.get("dir_info", {}).get("editable") and told["url"].startswith("file:"):
            folder = Path(url2pathname(urlparse(told["url"]).path))
            if folder.is_relative_to(root):
                found.append(Editable(each.name, folder, _metadata_folder(each)))
    return found


def _metadata_folder(each: Distribution) -> Path | None:
    for file in each.files or ():
        if file.name == "METADATA" and file.parent.name.endswith(".dist-info"):
            return Path(str(each.locate_file(file.parent)))
    return None


def _with_requirements(names: Iterable[str], *, but: Collection[str]) -> dict[str, str]:
    """Versions of the distributions, and of all that they require and that is installed."""
    found: dict[str, str] = {}
    seen = set(but)
    waiting = list(names)
    while waiting:
        name = _normal(waiting.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            each = distribution(name)
        except PackageNotFoundError:
            continue  # an optional requirement that is not used
        found[name] = each.version
        waiting += (
            match[0]
            for requirement in each.requires or ()
            if "extra ==" not in requirement.replace("extra==", "extra ==")
            and (match := re.match(r"[A-Za-z0-9._-]+", requirement))
        )
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _listed(names: Collection[str]) -> str:
    first = ", ".join(list(names)[:_NAMED])
    return first + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
