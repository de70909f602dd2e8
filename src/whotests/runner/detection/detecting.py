"""Which hosts run what was asked for: where nobody said so, by configuration and by the files."""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final, NamedTuple

from whotests.config.settings import Settings
from whotests.errors import UsageError
from whotests.hosts.task import Suite
from whotests.runner.detection.configured import Configured, configured_host
from whotests.runner.detection.kinds import Kind, Kinds
from whotests.runner.detection.places import Places
from whotests.runner.detection.searching import SuiteFiles, start_folders
from whotests.runner.detection.targets import Target, parsed_target
from whotests.runner.wanted import Wanted

__all__ = ["Detected", "detected_suites"]

_NEEDS: Final = {"pytest": "pytest", "trial": "twisted", "django": "django"}
"""What has to be installed for a host."""


_SHOWN: Final = 3
"""Targets in one sentence."""


class Detected(NamedTuple):
    """What is to be collected, and how that was found out."""

    suites: tuple[Suite, ...]
    """One per host, in the order in which targets came."""
    reasons: tuple[str, ...]
    """A sentence for each host that nobody named."""


def detected_suites(
    wanted: Wanted, *, settings: Settings, cwd: Path, path: Sequence[str] | None = None
) -> Detected:
    """The suites that the targets stand for; without targets those of the setting 'tests', else
    those that the project's configuration speaks of, else those whose files are found in `cwd`.

    `path` is where modules are looked for, `sys.path` by default; `cwd`, the project's folder and
    its 'src' come first. Nothing of the user's is imported.
    Raises UsageError for a target that stands for nothing, with what was looked for; for a
    project without tests; for a host that is not installed; for words without pytest.
    """
    cwd = Path(os.path.abspath(cwd))
    places = Places(cwd=cwd, root=settings.root, path=sys.path if path is None else path)
    detection = _Detection(places)
    if wanted.targets:
        for word in wanted.targets:
            detection.add(parsed_target(word))
    elif settings.tests:
        for word in settings.tests:
            detection.add(places.from_the_root(parsed_target(word)))
    else:
        detection.add_all()
    return detection.finished(wanted)


class _Detection:
    """Collects targets per host."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._kinds = Kinds(places.path)
        self._targets: dict[str, list[str]] = {}
        self._options: dict[str, tuple[str, ...]] = {}
        self._reasons: dict[str, str] = {}
        self._whole: set[str] = set()
        """Hosts that are asked for all that they find."""
        self._known: Configured | None = None
        self._asked = False
        self._beside: SuiteFiles | None = None

    # -- what comes in -----------------------------------------------------------------------

    def add(self, target: Target) -> None:
        """One target."""
        if target.host:
            self._add_named(target)
        elif "::" in target.text:
            self._add_node(target)
        elif (place := self._places.existing(target.text)) is not None:
            self._add_place(place)
        else:
            self._add_dotted(target.text)

    def add_all(self) -> None:
        """All that the project has."""
        configured = self._configured()
        if configured is None:
            self._add_files(self._places.cwd)
            return
        places = (self._places.shown(Path(target)) for target in configured.targets)
        self._take(configured.host, *places)
        self._import_from(configured)
        self._because(configured.host, f"{configured.why} is there")

    def finished(self, wanted: Wanted) -> Detected:
        """All suites; raises UsageError where they cannot be run here."""
        takes_words = "pytest" if "pytest" in self._targets else next(iter(self._targets), "")
        if wanted.words and takes_words != "pytest" and len(self._targets) > 1:
            raise UsageError(
                f"{' '.join(wanted.words)}: words after '--' are for pytest, or for the one runner "
                f"of all tests; here these are {', '.join(self._targets)}; leave the words out, or "
                "name targets of one of them"
            )
        for host in self._targets:
            need = _NEEDS.get(host)
            if need and PathFinder.find_spec(need, list(self._places.path)) is None:
                why = self._reasons.get(host, "a target asks for it")
                raise UsageError(
                    f"{need} is not installed for {sys.executable}, and {host} is to run tests "
                    f"({why}); install it, or name another host: unittest:TARGET"
                )
        suites = tuple(
            Suite(
                host,
                () if host in self._whole else tuple(dict.fromkeys(targets)),
                options=(
                    *(self._options.get(host, ()) if host != "pytest" else ()),
                    *(wanted.words if host == takes_words else ()),
                ),
                keyword=wanted.keyword,
            )
            for host, targets in self._targets.items()
        )
        reasons = tuple(
            f"{host} runs {_shown(self._targets[host])}: {why}"
            for host, why in self._reasons.items()
            if host in self._targets
        )
        return Detected(suites, reasons)

    # -- what it stands for ------------------------------------------------------------------

    def _add_named(self, target: Target) -> None:
        if not target.text:
            if target.host in ("trial", "unittest"):
                self._take_files(target.host, SuiteFiles(self._places.cwd, self._kinds))
            else:
                self._take(target.host)
            return
        if target.host == "pytest":
            # What follows a path, pytest knows; '--pyargs' makes modules of names.
            self._take("pytest", target.text)
            return
        place = self._places.existing(target.text)
        if place is None and self._places.module(target.text)[0] is None:
            raise UsageError(self._places.not_found(target))
        self._take(target.host, target.text if place is None else self._places.shown(place))

    def _add_node(self, target: Target) -> None:
        """A file, '::' and what is in it: pytest's way to write ids, which others take, too."""
        file, colons, rest = target.text.partition("::")
        place = self._places.existing(file)
        if place is None:
            raise UsageError(self._places.not_found(target))
        shown = self._places.shown(place)
        configured = self._configured()
        if configured is not None:
            host = configured.host if configured.host != "django" else "pytest"
        else:
            host = self._host_of(self._kinds.of(place) if place.suffix == ".py" else "pytest")
        self._take(host, shown + colons + rest)
        self._because(host, configured.why if configured else f"so is {shown} written")

    def _host_of(self, kind: Kind) -> str:
        """What runs a file of that kind where no configuration says so: the same host that would
        run it beside all other files of the project, so that its tests keep their ids."""
        if kind not in ("", "unittest") or not self._places.in_project:
            return kind or "unittest"
        if self._beside is None:
            self._beside = SuiteFiles(self._places.root, self._kinds)
        kinds = self._beside.by_kind
        if "trial" in kinds:
            return "trial"
        return "pytest" if "pytest" in kinds or self._beside.has_conftest else "unittest"

    def _add_place(self, place: Path) -> None:
        shown = self._places.shown(place)
        configured = self._configured()
        if configured is not None:
            self._take(configured.host, shown)
            self._import_from(configured)
            self._because(configured.host, f"{configured.why} is there")
        elif place.is_dir():
            self._add_files(place)
        elif place.suffix == ".py":
            host = self._host_of(self._kinds.of(place))
            self._take(host, shown)
            self._because(host, f"so is {shown} written")
        else:
            self._take("pytest", shown)
            self._because("pytest", f"{shown} is no Python")

    def _add_dotted(self, name: str) -> None:
        origin, rest = self._places.module(name)
        if origin is None:
            raise UsageError(self._places.not_found(Target("", name)))
        if origin.is_dir():
            kinds = set(SuiteFiles(origin, self._kinds).by_kind)
            kind: Kind = "pytest" if kinds == {"pytest"} else "unittest"
            kind = "trial" if "trial" in kinds else kind
        else:
            kind = self._kinds.of(origin) or "unittest"
        shown = self._places.shown(origin)
        configured = self._configured()
        host: str = kind
        if kind == "pytest":
            name = "::".join((shown, *rest))
        elif configured is not None:
            host = "django" if configured.host == "django" else kind
        elif self._host_of(kind) == "trial":
            host = "trial"
        self._take(host, name)
        self._because(host, f"so is {shown} written")

    def _add_files(self, folder: Path) -> None:
        """The files of tests in a folder, by what is in them."""
        files = SuiteFiles(folder, self._kinds)
        found = files.by_kind
        shown = self._places.shown(folder)
        if not found and not files.has_conftest:
            raise UsageError(
                f"no test was found in {folder}: no file test*.py or *_test.py has a test case or "
                "a test function, and no configuration of pytest, stestr or Django is there; name "
                "what to run, or write it into 'tests' of [tool.whotests] in pyproject.toml"
            )
        if "pytest" in found or files.has_conftest:
            if "trial" not in found:
                self._take("pytest", *(() if folder == self._places.cwd else (shown,)))
                example = found["pytest"][0] if "pytest" in found else folder / "conftest.py"
                self._because("pytest", f"so is {self._places.shown(example)} written")
                return
            # pytest would run trial's cases in its own way: each gets what is written for it.
            own = found.get("pytest", [])
            for place in files.together(own, packages=False):
                self._take("pytest", self._places.shown(place))
                self._because("pytest", f"so is {self._places.shown(own[0])} written")
        host: Kind = "trial" if "trial" in found else "unittest"
        self._take_files(host, files)
        self._because(host, f"so is {self._places.shown(found[host][0])} written")

    def _take_files(self, host: str, files: SuiteFiles) -> None:
        """Targets by which a host that loads as unittest does comes to all files that are for
        it, or for which it will do."""
        found = files.by_kind
        mine = [*found.get("trial", ()), *found.get("unittest", ())]
        if host == "trial":
            # trial takes a package by its name or path, and none by being within it.
            whole = files.place != self._places.cwd
            places = files.together(mine, packages=True, whole=whole)
        else:
            places = start_folders(mine, within=files.place)
        if places == [self._places.cwd] or not mine:
            self._take(host)
        for place in places:
            if place != self._places.cwd or len(places) > 1:
                self._take(host, self._places.shown(place))

    def _import_from(self, configured: Configured) -> None:
        if configured.top is not None:
            self._options[configured.host] = ("-t", str(configured.top))

    def _take(self, host: str, *targets: str) -> None:
        self._targets.setdefault(host, []).extend(targets)
        if not targets:
            self._whole.add(host)

    def _because(self, host: str, why: str) -> None:
        self._reasons.setdefault(host, why)

    def _configured(self) -> Configured | None:
        """What the nearest folder from here up to the root says."""
        if not self._asked:
            self._asked = True
            found = map(configured_host, self._places.up_to_the_root())
            self._known = next((each for each in found if each is not None), None)
        return self._known


def _shown(targets: Sequence[str]) -> str:
    more = f" and {len(targets) - _SHOWN} more" if len(targets) > _SHOWN else ""
    return " ".join(targets[:_SHOWN]) + more if targets else "all that it finds"
