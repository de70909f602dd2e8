# ruff: noqa: SIM115
"""A pytest plugin that writes down what pytest reports, in order: outcomes and warnings.

COMPAT_EVENTS names the file. Each line is a JSON list: what kind of event, of which test, and
what there is to tell of it.
"""

import json
import os
import re

BY_CHANCE = re.compile(
    r"\b0x[0-9a-fA-F]{4,}"
    r"|\b20\d\d-\d\d-\d\d([ T][0-9:.+]+)?|\b\d\d-\d\d-20\d\d|\b\d\d:\d\d:\d\d[0-9.+:]*"
)
"""Addresses, and what the clock says."""


def pytest_configure(config):
    if hasattr(config, "workerinput"):  # a worker of pytest-xdist: its parent reports
        return
    config.pluginmanager.register(Recorder(open(os.environ["COMPAT_EVENTS"], "a")))


class Recorder:
    def __init__(self, file):
        self.file = file

    def write(self, *event):
        self.file.write(json.dumps([BY_CHANCE.sub("...", str(word)) for word in event]) + "\n")
        self.file.flush()

    def pytest_collectreport(self, report):
        if not report.passed:
            self.write("collect", report.nodeid, report.outcome, last_line(report))

    def pytest_runtest_logreport(self, report):
        expected = getattr(report, "wasxfail", None)
        word = report.outcome if expected is None else f"expected {report.outcome}"
        if report.when == "call" or not report.passed:
            self.write("test", report.nodeid, f"{report.when} {word}", last_line(report))

    def pytest_warning_recorded(self, warning_message, when, nodeid, location):
        kind = warning_message.category.__name__
        self.write("warning", nodeid, f"{when} {kind}", str(warning_message.message))

    def pytest_sessionfinish(self, session, exitstatus):
        self.write("end", "", f"status {int(exitstatus)}", f"{session.testscollected} collected")
        self.file.flush()


def last_line(report):
    """The exception and its message's first line, or the reason of a skip."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message.split("\n")[0] if crash else ""
