"""The host of tests that Twisted's trial loads: its own cases, testtools', unittest's."""

import argparse
import gc
import os
import sys
import warnings
from collections.abc import Iterable
from inspect import getattr_static
from typing import Any

from whotests.hosts.loading import Broken
from whotests.hosts.output import GrowingFile
from whotests.hosts.result import HostResult, Watch
from whotests.hosts.trial_coroutines import RunByAsyncio
from whotests.hosts.trial_loading import Trial
from whotests.hosts.trial_reactor import install_reactor, shut_down
from whotests.hosts.unittest_host import UnittestHost, text_of
from whotests.stream.event import Chunk

__all__ = ["TrialHost"]

_LOG = "test.log"


class TrialHost(UnittestHost):
    """Runs each test as trial does in one process, on asyncio's reactor unless told otherwise.

    Fixtures of classes and modules, which trial never calls, are set up and torn down.
    """

    tolerates_surprises = True

    def load(self) -> tuple[list[Any], list[Broken]]:
        suite = self.task.suite
        sys.argv[:] = ["trial", *suite.targets]
        sys.path.insert(0, self.task.cwd)
        options = _options(suite.options)
        for name in options.without_module.split(",") if options.without_module else ():
            sys.modules[name] = None  # type: ignore[assignment]
        if options.recursionlimit:
            sys.setrecursionlimit(options.recursionlimit)
        if options.disablegc:
            gc.disable()
        self._options = options
        install_reactor(options.reactor)
        loader = Trial(self.task.cwd, recurse=not options.no_recurse)
        return list(loader.load(suite.targets)), loader.broken

    def watches(self) -> dict[str, Watch]:
        from twisted.python import log

        observer_of: Any = log.FileLogObserver
        found = super().watches()
        path = os.path.join(self.task.work, _LOG)
        # As trial's own log: it stays open for as long as the process lives.
        self._log = open(path, "a", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
        log.startLoggingWithObserver(observer_of(self._log).emit, 0)
        if found:
            found["trial log"] = TrialLog(path)
        return found

    def begin_tests(self, result: HostResult) -> None:
        from twisted.trial._synctest import _logObserver

        if self._options.unclean_warnings:
            tolerate_dirt(result)
        os.chdir(self.task.work)
        _logObserver._add()

    def prepare(self, test: Any) -> None:
        super().prepare(test)
        from twisted.trial._asynctest import TestCase

        if isinstance(test, TestCase):
            kind: Any = type(test)
            stand_ins: dict[str, Any] = {"_run": RunByAsyncio(test, getattr_static(kind, "_run"))}
            if limit := self.task.timeout:
                # What waits in the reactor hears of no signal, but of this.
                seconds = min(float(test.getTimeout()), limit)
                stand_ins["getTimeout"] = lambda: seconds
            test.__dict__.update(stand_ins)

    def release(self, test: Any) -> None:
        super().release(test)
        for name in ("_run", "getTimeout"):
            test.__dict__.pop(name, None)

    def end_tests(self, result: HostResult) -> None:
        from twisted.trial._synctest import _logObserver

        _logObserver._remove()
        for failure in _logObserver.getErrors():
            self._tell_broken(Broken("<not in test>", str(failure.getTraceback())))
        _logObserver.flushErrors()
        try:
            shut_down()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._tell_broken(Broken("shutdown of the reactor", text_of(error)))
        os.chdir(self.task.cwd)

    def run_test(self, test: Any, result: HostResult) -> None:
        if not self._options.force_gc:
            test(result)
            return
        from twisted.trial._synctest import _logObserver

        gc.collect()
        test(result)
        _logObserver._add()
        gc.collect()
        for failure in _logObserver.getErrors():
            self._tell_broken(Broken(f"collected after {test.id()}", str(failure.getTraceback())))
        _logObserver.flushErrors()
        _logObserver._remove()

    def callers(self, kind: type) -> Iterable[Any]:
        from twisted.internet import defer, utils
        from twisted.python import util

        return (
            *super().callers(kind),
            utils.runWithWarningsSuppressed,
            util.runWithWarningsSuppressed,
            defer.Deferred._runCallbacks,
        )


class TrialLog(GrowingFile):
    """trial's own log, without the line in which each of its cases says that it begins."""

    def chunks(self, name: str) -> Iterable[Chunk]:
        chunks = list(super().chunks(name))
        if chunks:
            first, end, rest = chunks[0].content.partition(b"\n")
            if b"] --> " in first and first.endswith(b" <--") and end:
                chunks[0] = chunks[0]._replace(content=rest)
        return chunks if any(chunk.content for chunk in chunks) else ()


def tolerate_dirt(result: Any) -> None:
    """Let a test that leaves something in the reactor pass, with a warning."""
    from twisted.trial.util import DirtyReactorAggregateError

    ordinary = result.addError

    def addError(test: Any, err: Any = None, details: Any = None) -> None:  # noqa: N802
        if hasattr(err, "check") and err.check(DirtyReactorAggregateError):
            warnings.warn(err.getErrorMessage(), stacklevel=2)
            result.addSuccess(test)
        else:
            ordinary(test, err, details)

    result.addError = addError


def _options(words: Iterable[str]) -> argparse.Namespace:
    parser = _Parser(prog="trial", add_help=False, allow_abbrev=False)
    parser.add_argument("--reactor", "-r", default="")
    parser.add_argument("--recursionlimit", type=int, default=0)
    parser.add_argument("--without-module", default="")
    parser.add_argument("--disablegc", action="store_true")
    parser.add_argument("--force-gc", action="store_true")
    parser.add_argument("--unclean-warnings", action="store_true")
    parser.add_argument("--no-recurse", "-N", action="store_true")
    return parser.parse_args(list(words))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise ValueError(f"trial: {message}")
