"""The host of Django's tests, as `manage.py test` finds and runs them."""

import os
import runpy
import sys
import traceback
import unittest
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from whotests.hosts.class_fixtures import ClassFixtures
from whotests.hosts.django_databases import set_apart
from whotests.hosts.loading import Broken
from whotests.hosts.orders import RUN
from whotests.hosts.result import HostResult
from whotests.hosts.said import Said
from whotests.hosts.unittest_host import UnittestHost

__all__ = ["DjangoHost"]

_SCRIPT = "manage.py"
_RUNNER = "whotests.hosts.django_runner.OrderedRunner"
_COMMAND = "manage.py test"


class _NothingToRunError(Exception):
    """The tests were told, and none is wanted: no database need be made."""


class DjangoHost(UnittestHost):
    """Calls `manage.py test`, with the project's own test runner, whose loop over its tests goes
    by orders.

    So settings, databases, tags and all else are what they are there. Without a `manage.py`, from
    the folder of the call upwards, the settings are those of DJANGO_SETTINGS_MODULE. Of several
    workers each has databases of its own. Why the command ended before there were tests, in its
    own words, is why the host ends.
    """

    ordered = True  # what empties the database comes last

    _found: tuple[Any, ...] = ()
    _why = ""
    _served = False
    """Whether orders are, or were, followed."""

    def run(self) -> None:
        said = Said(self.task.output)
        why = ""
        try:
            self._call_command()
        except _NothingToRunError:
            self._served = True
        except KeyboardInterrupt:
            why = "KeyboardInterrupt"
        except SystemExit as error:
            # With tests, its status only says that some failed.
            why = said.read() or str(error.code)
        except Exception:
            why = traceback.format_exc()
            sys.stderr.write(why)
            if self._served:
                self._tell_broken(Broken(_COMMAND, why))  # of no test, as are its databases
        else:
            why = said.read() or f"{_COMMAND} asked for no tests"
        self.reporter.ended(self._why if self._served else why)

    def _call_command(self) -> None:
        script, labels = self._script_and_labels()
        # A worker is one process, and nobody is there to be asked.
        own = [f"--testrunner={_RUNNER}", "--parallel=1", "--noinput"]
        words = ["test", *self.task.suite.options, *own, *labels]
        if script is not None:
            os.chdir(script.parent)
            sys.path.insert(0, str(script.parent))
            sys.argv[:] = [str(script), *words]
            _serve(self, self.task.suite.options)
            runpy.run_path(str(script), run_name="__main__")
        elif os.environ.get("DJANGO_SETTINGS_MODULE"):
            sys.path.insert(0, self.task.cwd)
            sys.argv[:] = ["django-admin", *words]
            from django.core.management import execute_from_command_line

            _serve(self, self.task.suite.options)
            execute_from_command_line(sys.argv)
        else:
            raise SystemExit(
                f"there is no {_SCRIPT} in {self.task.cwd} or above it, and DJANGO_SETTINGS_MODULE "
                f"is not set; set it, or name the script: django:path/to/{_SCRIPT}"
            )

    def _script_and_labels(self) -> tuple[Path | None, list[str]]:
        cwd = Path(self.task.cwd)
        script: Path | None = None
        labels = []
        for target in self.task.suite.targets:
            if target.endswith(_SCRIPT) and (cwd / target).is_file():
                script = (cwd / target).resolve()
            else:
                labels.append(target)
        if script is None:
            places = (each / _SCRIPT for each in (cwd, *cwd.parents))
            script = next((place for place in places if place.is_file()), None)
        top = cwd if script is None else script.parent
        return script, [_label(label, cwd=cwd, top=top) for label in labels]

    # -- what Django's runner calls ------------------------------------------------------------

    def take(self, cases: Iterable[Any]) -> None:
        """These are the tests; comes back when some are to be run."""
        if self.task.workers > 1:
            set_apart(f"g{self.task.worker}")
        self._found = tuple(cases)
        self._collect()
        if self._orders.peek()[0] != RUN:
            raise _NothingToRunError

    def follow(self) -> None:
        """Run what is ordered, until the end."""
        self._served = True
        self._result = self._new_result()
        self._fixtures = ClassFixtures(self._result)
        self._why = self._follow_orders()

    # -- what differs from unittest ------------------------------------------------------------

    def load(self) -> tuple[list[Any], list[Broken]]:
        cases: list[Any] = []
        broken = []
        for case in self._found:
            if isinstance(case, unittest.loader._FailedTest):  # type: ignore[attr-defined]
                text = "".join(traceback.format_exception(case._exception))
                broken.append(Broken(case._testMethodName, text))
            else:
                cases.append(case)
        return cases, broken

    def begin_tests(self, result: HostResult) -> None:
        """Nothing: warnings are as the project's runner leaves them."""


def _serve(host: DjangoHost, options: Iterable[str]) -> None:
    """Let the runner that Django is about to make find its host."""
    from whotests.hosts import django_orders

    django_orders.host = host
    django_orders.options = tuple(options)


def _label(target: str, *, cwd: Path, top: Path) -> str:
    """What Django calls a target: a folder, or a dotted name."""
    path, *rest = target.split("::")
    place = cwd / path
    if os.path.isdir(place):  # a label may be too long for a name of one
        return str(place.resolve())
    if path.endswith(".py") and os.path.isfile(place):
        module = place.resolve()
        inside = module.relative_to(top.resolve()) if module.is_relative_to(top.resolve()) else None
        parts = (inside or Path(module.name)).with_suffix("").parts
        return ".".join([*parts, *rest])
    return target
