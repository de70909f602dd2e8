"""Settings of Django's own suite, on SQLite, with a runner that writes down every outcome."""

import unittest

from compat_unittest import Outcomes, write
from django.test.runner import DiscoverRunner

DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3"},
    "other": {"ENGINE": "django.db.backends.sqlite3"},
}
SECRET_KEY = "django_tests_secret_key"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
TEST_RUNNER = "compat_django.Runner"


class Result(Outcomes, unittest.TextTestResult):
    pass


class Runner(DiscoverRunner):
    def get_resultclass(self):
        return Result

    def suite_result(self, suite, result, **kwargs):
        failed = super().suite_result(suite, result, **kwargs)
        write("end", "", f"{failed} failed", f"{result.testsRun} ran")
        return failed
