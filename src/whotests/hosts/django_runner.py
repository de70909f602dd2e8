"""The project's own test runner, with a loop over its tests that goes by orders.

Imported by Django alone, once it knows the project's settings.
"""

import unittest
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.utils import get_command_line_option
from django.test.runner import DiscoverRunner
from django.test.utils import get_runner

from whotests.hosts import django_orders

__all__ = ["OrderedRunner"]


def _project_runner() -> Any:
    asked = get_command_line_option(["manage.py", "test", *django_orders.options], "--testrunner")
    runner = get_runner(settings, asked)
    if not (isinstance(runner, type) and issubclass(runner, DiscoverRunner)):
        raise CommandError(
            f"the test runner {asked or settings.TEST_RUNNER} is not a kind of Django's "
            "DiscoverRunner, which is the only one that this host can lead; name its tests as "
            "targets of pytest or unittest"
        )
    return runner


class OrderedRunner(_project_runner()):  # type: ignore[misc]
    """Finds and sets up as the project's runner does, and runs as the host is told."""

    def build_suite(self, *args: Any, **kwargs: Any) -> Any:
        suite = super().build_suite(*args, **kwargs)
        if django_orders.host is not None:
            django_orders.host.take(suite)
        return suite

    def run_suite(self, suite: Any, **kwargs: Any) -> unittest.TestResult:
        if django_orders.host is not None:
            django_orders.host.follow()
        return unittest.TestResult()
