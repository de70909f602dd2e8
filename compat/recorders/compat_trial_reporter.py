# ruff: noqa: N802
"""`trial --reporter=compat`: trial's plain reporter that writes down every outcome."""

from compat_unittest import exception_line, write
from twisted.trial import reporter


def failure_line(failure):
    if isinstance(failure, tuple):
        return exception_line(failure)
    return f"{failure.type.__name__}: {failure.getErrorMessage()}".split("\n")[0]


class Reporter(reporter.MinimalReporter):
    def addSuccess(self, test):
        write("test", test.id(), "passed", "")
        super().addSuccess(test)

    def addFailure(self, test, failure):
        write("test", test.id(), "failed", failure_line(failure))
        super().addFailure(test, failure)

    def addError(self, test, error):
        write("test", test.id(), "error", failure_line(error))
        super().addError(test, error)

    def addSkip(self, test, reason):
        write("test", test.id(), "skipped", reason)
        super().addSkip(test, reason)

    def addExpectedFailure(self, test, error, todo=None):
        write("test", test.id(), "expected failure", failure_line(error))
        super().addExpectedFailure(test, error, todo)

    def addUnexpectedSuccess(self, test, todo=None):
        write("test", test.id(), "unexpected success", "")
        super().addUnexpectedSuccess(test, todo)

    def done(self):
        write("end", "", f"status {int(not self.wasSuccessful())}", f"{self.testsRun} ran")
        super().done()
