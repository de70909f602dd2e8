"""What other plugins of pytest do in a worker that is none of pytest-xdist's, yet one of many."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from zlib import crc32

import pytest

from whotests.hosts.django_databases import set_apart
from whotests.hosts.shared_folder import shared_folder
from whotests.hosts.task import Task

__all__ = ["NAME", "PytestPeers"]

NAME = "whotests-host"
"""A plugin of this name is there in each pytest of a host."""

_OFF: Final[dict[str, object]] = {
    # pytest-xdist
    "numprocesses": None,
    "dist": "no",
    "distload": False,
    "tx": [],
    "looponfail": False,
    # pytest-cov: hosts side by side would write one file
    "cov_source": [],
    "no_cov": True,
}
"""Options of what distributes or measures tests by itself, and what they are when they are not
given."""


class PytestPeers:
    """Takes what other plugins say of workers and of the whole run to what is true here.

    Of one worker alone, pytest is as it is when it is called by hand, but for pytest-xdist and
    pytest-cov, which have nothing to do. Of several, each is told apart from the others by what
    pytest-xdist's workers are: variables of the environment, `worker_id`, databases and temporary
    folders of their own. Files that are written for the whole run, and not for a worker, are not
    written: JUnit's, the list of last failures.
    """

    __name__ = NAME  # what pytest calls the plugin

    def __init__(self, task: Task) -> None:
        self._many = task.workers > 1
        self._folder = Path(task.journal).parent
        self._run = crc32(f"{task.run}{self._folder.name}".encode())
        self._id = f"g{task.worker}"
        if self._many:
            os.environ["PYTEST_XDIST_WORKER"] = self._id
            os.environ["PYTEST_XDIST_WORKER_COUNT"] = str(task.workers)
            os.environ["PYTEST_XDIST_TESTRUNUID"] = f"{self._run:08x}"

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> Iterator[None]:
        self._turn_off(early_config.known_args_namespace)
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Iterator[None]:
        self._turn_off(config.option)
        yield

    def _turn_off(self, options: Any) -> None:
        for name, value in _OFF.items():
            if hasattr(options, name):
                setattr(options, name, value)

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        option = config.option
        if getattr(option, "randomly_seed", None) == "default":
            option.randomly_seed = self._run  # the same in all workers
        if not self._many:
            return
        option.xmlpath = None
        folder = (
            Path(option.basetemp)
            if option.basetemp
            else shared_folder(self._folder, worker=self._id)
        )
        folder.mkdir(parents=True, exist_ok=True)
        option.basetemp = str(folder / f"popen-{self._id}")
        plugins = config.pluginmanager
        if plugins.hasplugin("xdist"):
            plugins.register(_of_xdist(self._id), "whotests-host-xdist")
        if plugins.hasplugin("django"):
            plugins.register(_of_django(self._id), "whotests-host-django")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self._many:
            # They have chosen tests by now, and would only write what each worker alone knows.
            for name in ("lfplugin", "nfplugin"):
                with suppress(AssertionError, ValueError):
                    session.config.pluginmanager.unregister(name=name)


def _of_xdist(worker: str) -> ModuleType:
    """What pytest-xdist tells tests of their worker: a plugin."""

    @pytest.fixture(scope="session")
    def worker_id() -> str:
        """The name of this worker: 'gw0', 'gw1'..."""
        return worker

    @pytest.fixture(scope="session")
    def testrun_uid() -> str:
        """What tells this run from others, the same in all workers."""
        return os.environ["PYTEST_XDIST_TESTRUNUID"]

    return _plugin(worker_id=worker_id, testrun_uid=testrun_uid)


def _of_django(worker: str) -> ModuleType:
    """What pytest-django does in each worker of pytest-xdist: a plugin."""

    @pytest.fixture(scope="session")
    def django_db_modify_db_settings_xdist_suffix() -> None:
        """Give this worker test databases of its own."""
        from pytest_django.lazy_django import skip_if_no_django

        skip_if_no_django()
        set_apart(worker)

    return _plugin(
        django_db_modify_db_settings_xdist_suffix=django_db_modify_db_settings_xdist_suffix
    )


def _plugin(**fixtures: object) -> ModuleType:
    plugin = ModuleType(NAME)  # fixtures of an instance, as methods, are deprecated
    vars(plugin).update(fixtures)
    return plugin
