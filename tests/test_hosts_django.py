"""Django's tests under `whotests test`: by `manage.py test` and by pytest-django."""

import json
import os
import sys
from pathlib import Path

import pytest

from measured_commands import PLUGINS, run_plain, write_files
from tested_commands import run_tests

pytest.importorskip("django")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

NAMES = {"success": "passed", "fail": "failed", "skip": "skipped", "xfail": "xfailed"}
SITE = {
    "pyproject.toml": """
        [project]
        name = "shop"
    """,
    "manage.py": """
        import os
        import sys

        if __name__ == "__main__":
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
            from django.core.management import execute_from_command_line

            execute_from_command_line(sys.argv)
    """,
    "site_settings.py": """
        SECRET_KEY = "none"
        INSTALLED_APPS = ["shop"]
        DATABASES = {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": "db",
                "TEST": {"NAME": "test_db"},
            },
            "memory": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        }
        DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
        USE_TZ = False
    """,
    "shop/__init__.py": "",
    "shop/models.py": """
        from django.db import models


        class Basket(models.Model):
            name = models.CharField(max_length=20)

            class Meta:
                app_label = "shop"
    """,
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_initial.py": """
        from django.db import migrations, models


        def fill(apps, editor):
            apps.get_model("shop", "Basket").objects.using(editor.connection.alias).create(name="")


        class Migration(migrations.Migration):
            operations = [
                migrations.CreateModel(
                    "Basket",
                    [
                        ("id", models.AutoField(primary_key=True)),
                        ("name", models.CharField(max_length=20)),
                    ],
                ),
                migrations.RunPython(fill),
            ]
    """,
    "tests/__init__.py": "",
    "tests/test_baskets.py": """
        import time
        import unittest

        from django.db import connection
        from django.test import SimpleTestCase, TestCase, TransactionTestCase, tag
        from shop.models import Basket


        class TestEmptied(TransactionTestCase):
            def test_slow(self):
                time.sleep(0.2)
                Basket.objects.create(name="x")
                self.assertLessEqual(Basket.objects.count(), 2)


        class TestData(TestCase):
            @classmethod
            def setUpTestData(cls):
                cls.basket = Basket.objects.create(name="a")

            def test_there(self):
                self.assertEqual(Basket.objects.count(), 2)
                print(connection.settings_dict["NAME"])

            def test_more(self):
                Basket.objects.create(name="b")
                self.assertEqual(Basket.objects.count(), 3)

            @tag("broken")
            def test_fail(self):
                self.fail("as it should")

            @unittest.skip("later")
            def test_skip(self):
                pass

            @unittest.expectedFailure
            def test_xfail(self):
                self.fail()

            def test_subtests(self):
                for i in range(2):
                    with self.subTest(i=i):
                        self.assertEqual(i, 0)


        class TestMigrated(TestCase):
            def test_there(self):
                self.assertEqual(Basket.objects.count(), 1)


        class TestBroken(TestCase):
            @classmethod
            def setUpTestData(cls):
                raise RuntimeError("no data")

            def test_never(self):
                pass


        class TestSimple(SimpleTestCase):
            def test_simple(self):
                pass
    """,
    "tests/test_unloadable.py": "import nowhere",
}
NEVER = "tests.test_baskets.TestBroken.test_never"


def site(folder: Path) -> Path:
    write_files(folder, SITE)
    return folder


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """How each test ends by `manage.py test` itself."""
    folder = site(tmp_path_factory.mktemp("serial"))
    told = folder / "ended"
    here = os.path.dirname(__file__)
    words = ("manage.py", "test", "--testrunner", "plain_django.Runner", "--noinput")
    run_plain("python", *words, cwd=folder, env={"PYTHONPATH": here, "ENDED": str(told)})
    loaded: dict[str, dict[str, str]] = json.loads(told.read_text())
    return loaded


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_verdicts_are_those_of_manage_py(
    tmp_path: Path, serial: dict[str, dict[str, str]], jobs: str
) -> None:
    """Test cases with data and transactions, skips, subtests; what cannot be loaded fails. What
    empties the database comes last though it takes longest."""
    ended = run_tests("-j", jobs, "django:", cwd=site(tmp_path))
    # unittest counts a class whose data cannot be made, and not its tests.
    assert ended.verdicts.pop(NEVER) == ["fail"]
    assert "no data" in str(ended.told)
    assert {test: NAMES[each[0]] for test, each in ended.verdicts.items()} == serial["ended"]
    assert ended.outside["tests.test_unloadable"] == ["fail"]
    assert "No module named 'nowhere'" in ended.told["tests.test_unloadable"]["traceback"]
    suffix = "" if jobs == "1" else "_gw"
    told = ended.told["tests.test_baskets.TestData.test_there"]
    assert f"test_db{suffix}" in told["output"]
    if jobs == "2":  # with the durations of the first time
        again = run_tests("-j", jobs, "django:", cwd=tmp_path)
        assert again.verdicts.pop(NEVER) == ["fail"]
        assert again.verdicts == ended.verdicts
    assert not list(tmp_path.glob("test_db*"))


def test_labels_paths_and_options_are_those_of_manage_py(tmp_path: Path) -> None:
    """A class, a method, a file, a folder; below the folder of `manage.py`, too."""
    folder = site(tmp_path)
    one = "tests.test_baskets.TestData.test_more"
    assert list(run_tests(f"django:{one}", cwd=folder).verdicts) == [one]
    simple = run_tests("-k", "TestSimple", "django:tests/test_baskets.py", cwd=folder)
    assert simple.passed() == {"test_simple"}
    below = run_tests(
        "--data", str(tmp_path / "data.db"), "-k", "simple", "django:.", cwd=folder / "tests"
    )
    assert below.passed() == {"test_simple"}
    tagged = run_tests("django:", "--", "--tag", "broken", cwd=folder)
    assert tagged.verdict == {"test_fail": "fail"}
    wrong = run_tests("django:", "--", "--nonsense", cwd=folder)
    assert wrong.status not in (0, 5)
    assert "unrecognized arguments: --nonsense" in str(wrong.told) + wrong.err


def test_what_keeps_django_from_finding_tests_is_told(tmp_path: Path) -> None:
    """Settings that cannot be imported, a runner that is none of Django's."""
    folder = site(tmp_path)
    wrong = run_tests("django:", cwd=folder, DJANGO_SETTINGS_MODULE="nowhere")
    assert wrong.status not in (0, 5)
    assert "No module named 'nowhere'" in str(wrong.told) + wrong.err
    settings = folder / "site_settings.py"
    settings.write_text(settings.read_text() + "\nTEST_RUNNER = 'unittest.TextTestRunner'\n")
    other = run_tests("django:", cwd=folder)
    assert other.status not in (0, 5)
    assert "is not a kind of Django's DiscoverRunner" in str(other.told) + other.err
    assert not other.verdicts


def test_listing_makes_no_database(tmp_path: Path) -> None:
    """Tests are found without one."""
    folder = site(tmp_path)
    run_tests("--list", "django:", cwd=folder)
    log = (folder / ".whotests/runs/1/w0-1.out").read_text()
    assert "Creating test database" not in log


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_pytest_django_has_databases_per_worker(tmp_path: Path, jobs: str) -> None:
    """As with pytest-xdist; its order, in which transactions come last, is kept."""
    pytest.importorskip("pytest_django")
    folder = site(tmp_path)
    (folder / "tests/test_unloadable.py").unlink()
    (folder / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = site_settings\n")
    ended = run_tests("-j", jobs, "pytest:tests", cwd=folder, **PLUGINS)
    assert ended.passed() == {"test_slow", "test_there", "test_more", "test_simple"}
    assert {name for name, status in ended.verdict.items() if status == "fail"} == {
        "test_fail",
        "test_never",
        "test_subtests",
    }
    told = ended.told["tests/test_baskets.py::TestData::test_there"]["stdout"]
    assert ("test_db_gw" in told) == (jobs == "2")
