"""Django's test runner, in one process and with `--parallel`: facts and outcomes are the same."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from measured_commands import run_measured, run_plain, write_files
from runner_plugins import PLUGINS, install
from runner_project import Recorded, explained, recorded
from runner_pytest import kept_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

OPTIONS = ("--branch", "--source", "shop", "--source", "tests")
SITE = {
    "pyproject.toml": """
        [project]
        name = "shop"
    """,
    "manage.py": """
        import multiprocessing
        import os
        import sys

        if __name__ == "__main__":
            os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
            if "METHOD" in os.environ:
                multiprocessing.set_start_method(os.environ["METHOD"])
            from django.core.management import execute_from_command_line

            execute_from_command_line(sys.argv)
    """,
    "site_settings.py": """
        SECRET_KEY = "none"
        INSTALLED_APPS = ["shop"]
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
        DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
        ROOT_URLCONF = "shop.urls"
        USE_TZ = False
    """,
    "shop/__init__.py": "",
    "shop/models.py": """
        from django.db import models


        class Basket(models.Model):
            name = models.CharField(max_length=20)
            price = models.IntegerField()

            def kind(self):
                if self.price > 10:
                    return "dear"
                return "cheap"

            @classmethod
            def total(cls):
                total = 0
                for basket in cls.objects.all():
                    total += basket.price
                return total
    """,
    "shop/urls.py": """
        from django.http import HttpResponse
        from django.urls import path
        from shop.models import Basket


        def total(request):
            if request.GET.get("twice"):
                return HttpResponse(str(2 * Basket.total()))
            return HttpResponse(str(Basket.total()))


        urlpatterns = [path("total", total)]
    """,
    "tests/__init__.py": "",
    "tests/test_kinds.py": """
        import subprocess
        import sys
        import unittest

        from django.test import SimpleTestCase
        from shop.models import Basket


        class Kinds(SimpleTestCase):
            def test_dear(self):
                self.assertEqual(Basket(price=11).kind(), "dear")

            def test_fails(self):
                self.assertEqual(Basket(price=1).kind(), "dear")

            @unittest.expectedFailure
            def test_expected(self):
                self.assertEqual(Basket(price=1).kind(), "dear")

            @unittest.expectedFailure
            def test_unexpected(self):
                pass

            @unittest.skip("why")
            def test_skipped(self):
                pass

            def test_parts(self):
                for price in (1, 11, 1):
                    with self.subTest(price=price):
                        self.assertEqual(Basket(price=price).kind(), "cheap")

            def test_child(self):
                code = "import shop"
                subprocess.run([sys.executable, "-c", code], check=True)


        class Plain(unittest.TestCase):
            def tearDown(self):
                Basket(price=1).kind()

            def test_dear(self):
                self.assertEqual(Basket(price=11).kind(), "dear")
    """,
    "tests/test_totals.py": """
        import shop.urls  # else the first request does this
        from django.test import TestCase, TransactionTestCase
        from shop.models import Basket


        class Totals(TestCase):
            @classmethod
            def setUpTestData(cls):
                Basket.objects.create(name="one", price=3)

            def setUp(self):
                Basket.objects.create(name="two", price=4)

            def test_total(self):
                self.assertEqual(Basket.total(), 7)

            def test_view(self):
                self.assertEqual(self.client.get("/total").content, b"7")

            def test_view_twice(self):
                self.assertEqual(self.client.get("/total?twice=1").content, b"14")

            async def test_async(self):
                response = await self.async_client.get("/total")
                self.assertEqual(response.content, b"7")

            def test_errs(self):
                Basket.total()
                raise OSError


        class Whole(TransactionTestCase):
            def tearDown(self):
                Basket.total()

            def test_none(self):
                self.assertEqual(Basket.total(), 0)

            def test_one(self):
                basket = Basket.objects.create(name="one", price=30)
                self.assertEqual(basket.kind(), "dear")
    """,
}


class Site:
    """A project of Django's, and its tests."""

    def __init__(self, folder: Path, path: str) -> None:
        self.folder = folder
        self.environment = {"PYTHONPATH": path}

    def test(self, *words: str, method: str = "") -> Recorded:
        """What `manage.py test` records; it says and ends as it does without measuring."""
        shutil.rmtree(self.folder / ".whotests", ignore_errors=True)
        environment = self.environment | ({"METHOD": method} if method else {})
        command = ("python", "manage.py", "test", *words)
        plain = run_plain(*command, cwd=self.folder, env=environment)
        done = run_measured(*command, cwd=self.folder, env=environment, options=OPTIONS)
        assert plain.status == done.status == 1, explained(plain) + explained(done)
        assert shown(done.err) == shown(plain.err)
        return recorded(self.folder)


def shown(text: str) -> list[str]:
    """What was written, without times and addresses; workers report in any order."""
    text = re.sub(r"\d+\.\d+s|0x[0-9a-f]+", "", text)
    return sorted(line if set(line) - set(".FEsxu") else "" for line in text.splitlines())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The project."""
    folder = tmp_path_factory.mktemp("site")
    write_files(folder, SITE)
    return Site(folder, str(install(kept_folder(tmp_path_factory), PLUGINS)))


@pytest.fixture(scope="module")
def serial(site: Site) -> Recorded:
    """What a run in one process records."""
    return site.test()


def test_each_test_has_its_context(serial: Recorded) -> None:
    """Tests of each of Django's classes, with their outcomes, lines and branches."""
    kinds = {
        "Kinds.test_dear": "passed",
        "Kinds.test_fails": "failed",
        "Kinds.test_expected": "expected failure",
        "Kinds.test_unexpected": "unexpected success",
        "Kinds.test_skipped": "skipped",
        "Kinds.test_parts": "failed",
        "Kinds.test_child": "passed",
        "Plain.test_dear": "passed",
    }
    totals = {
        "Totals.test_total": "passed",
        "Totals.test_view": "passed",
        "Totals.test_view_twice": "passed",
        "Totals.test_async": "passed",
        "Totals.test_errs": "error",
        "Whole.test_none": "passed",
        "Whole.test_one": "passed",
    }
    assert serial.outcomes == {
        **{f"tests.test_kinds.{name}": outcome for name, outcome in kinds.items()},
        **{f"tests.test_totals.{name}": outcome for name, outcome in totals.items()},
    }
    in_urls = [
        serial.lines[f"tests.test_totals.Totals.{name}|run", "shop/urls.py"]
        for name in ("test_view", "test_async", "test_view_twice")
    ]
    assert [bits.bit_count() for bits in in_urls] == [2, 2, 2]
    assert in_urls[0] == in_urls[1] != in_urls[2]
    taken = serial.branches["tests.test_totals.Whole.test_none|teardown", "shop/models.py"]
    assert taken.bit_count() == 1


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_parallel_tests_are_measured(site: Site, serial: Recorded, method: str) -> None:
    """With `--parallel 2` facts and outcomes are those of one process."""
    assert site.test("--parallel", "2", method=method) == serial


def test_order_does_not_matter(site: Site, serial: Recorded) -> None:
    """With `--shuffle` facts and outcomes are the same."""
    assert site.test("--shuffle", "3") == serial
