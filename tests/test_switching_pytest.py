"""`pytest --whotests` does what pytest-cov's users need: reports, limits, and a way out."""

import json
import re
from pathlib import Path

import pytest

from measured_commands import Ended, run_plain, write_files

PROJECT = {
    "pyproject.toml": "[project]\nname = 'shop'\n",
    "shop/__init__.py": """
        def sell(n):
            if n:
                return n
            return 0

        def close():
            return "closed"
    """,
    "shop/full.py": "def f():\n    return 1\n",
    "spare/__init__.py": "x = 1\n",
    "test_shop.py": """
        import shop, shop.full, spare

        def test_sell():
            assert shop.sell(1) == 1
            assert shop.full.f() == 1
    """,
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project of which its test runs a part."""
    write_files(tmp_path, PROJECT)
    return tmp_path


def run_pytest(folder: Path, *options: str, status: int = 0, **env: str) -> Ended:
    words = ("-m", "pytest", "-p", "no:cacheprovider", "-p", "no:pytest_cov", *options)
    ended = run_plain("python", *words, cwd=folder, env=env)
    assert ended.status == status, ended.out + ended.err
    return ended


SHOP = ("--whotests=shop", "--whotests-branch")


def test_reports_of_every_kind(shop: Path) -> None:
    """On the terminal and into files, each of which is that of the command; in folders that are
    made for them."""
    kinds = ["term-missing", "term:skip-covered", "markdown:a/b.md", "json", "xml:c.xml", "lcov"]
    options = (f"--whotests-report={kind}" for kind in kinds)
    out = run_pytest(shop, *SHOP, *options, COLUMNS="200").out
    assert re.search(r"^shop/__init__\.py +6 +2 +2 +1 +62% +1 +2  4, 7$", out, re.MULTILINE)
    assert "shop/full.py" not in out
    assert "not listed: 1 file, because nothing of them is missing" in out
    assert out.count("\ntotal ") == 1
    assert (shop / "a" / "b.md").read_text().startswith("| file | statements |")
    for name in ("a/b.md", "coverage.json", "c.xml", "coverage.lcov"):
        assert f"wrote {name}\n" in out
    totals = json.loads((shop / "coverage.json").read_text())["totals"]
    assert (totals["num_statements"], totals["missing_lines"]) == (8, 2)
    assert 'line-rate="0.75"' in (shop / "c.xml").read_text()
    assert "SF:shop/full.py\n" in (shop / "coverage.lcov").read_text()


def test_markdown_is_appended(shop: Path) -> None:
    """To what is in the file already."""
    (shop / "summary.md").write_text("# Tests\n")
    out = run_pytest(shop, *SHOP, "--whotests-report=markdown-append:summary.md").out
    assert "appended to summary.md\n" in out
    assert (shop / "summary.md").read_text().startswith("# Tests\n| file |")


def test_no_report_without_the_option(shop: Path) -> None:
    """One line tells where the data is; an empty value asks for none, too."""
    for options in ((), ("--whotests-report=",)):
        out = run_pytest(shop, *SHOP, *options).out
        assert "recorded in .whotests/data.db" in out
        assert "total" not in out


@pytest.mark.parametrize("where", ["option", "settings", "coverage's settings"])
def test_too_little_fails(shop: Path, where: str) -> None:
    """Exit status 1 and a sentence, whether the option says so or the settings; not when it is
    enough, and the option wins."""
    options: tuple[str, ...] = ()
    if where == "option":
        options = ("--whotests-fail-under=90",)
    elif where == "settings":
        write_files(shop, {"pyproject.toml": "[tool.whotests]\nfail_under = 90\n"})
    else:
        write_files(shop, {".coveragerc": "[report]\nfail_under = 90\n"})
    told = "70% of the statements and branches ran, less than the 90%"
    assert told in run_pytest(shop, *SHOP, *options, status=1).out
    with_report = run_pytest(shop, *SHOP, *options, "--whotests-report=term", status=1).out
    assert with_report.count(told) == 1
    assert told not in run_pytest(shop, *SHOP, *options, "--whotests-fail-under=69.9").out


def test_a_failed_run_may_go_without_report(shop: Path) -> None:
    """With the option, a run of which a test failed reports nothing; else it does."""
    write_files(shop, {"test_more.py": "def test_fails():\n    assert 0\n"})
    options = (*SHOP, "--whotests-report=term", "--whotests-fail-under=90")
    assert "total " in run_pytest(shop, *options, status=1).out
    out = run_pytest(shop, *options, "--whotests-no-report-on-fail", status=1).out
    assert "total " not in out
    assert "less than" not in out


def test_a_stopped_or_collected_run_has_no_report(shop: Path) -> None:
    """Neither one that collects only, nor one that could not collect."""
    options = (*SHOP, "--whotests-report=term", "--whotests-fail-under=90")
    assert "total " not in run_pytest(shop, *options, "--collect-only").out
    write_files(shop, {"test_more.py": "1 +\n"})
    assert "total " not in run_pytest(shop, *options, status=2).out


def test_several_sources_and_none(shop: Path) -> None:
    """`--whotests=` may be repeated; `--whotests-reset` forgets those before, and
    `--no-whotests` wins over all."""
    write_files(
        shop, {"pytest.ini": "[pytest]\naddopts = --whotests=shop --whotests-report=term\n"}
    )
    out = run_pytest(shop, "--whotests=spare").out
    assert "shop/full.py" in out
    assert "spare/__init__.py" in out
    out = run_pytest(shop, "--whotests-reset", "--whotests=spare").out
    assert "shop/full.py" not in out
    assert "spare/__init__.py" in out
    (shop / ".whotests" / "data.db").unlink()
    assert "whotests" not in run_pytest(shop, "--no-whotests").out.partition("collected")[2]
    assert not (shop / ".whotests" / "data.db").exists()


def test_include_omit_and_config(shop: Path) -> None:
    """Files to measure, files to leave out, and the file of the settings."""
    write_files(shop, {"ci.toml": "[tool.whotests]\nsource = ['shop']\nprecision = 2\n"})
    options = ("--whotests", "--whotests-config=ci.toml", "--whotests-report=term")
    assert re.search(r"shop/__init__\.py +6 +2 +66\.67%", run_pytest(shop, *options).out)
    out = run_pytest(shop, *options, "--whotests-include=*/full.py", "--whotests-precision=1").out
    assert re.search(r"total +2 +0 +100\.0%", out)
    assert "shop/full.py" not in run_pytest(shop, *options, "--whotests-omit=*/full.py").out


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--whotests-report=pdf", "there is no such report; there are term, term-missing"),
        ("--whotests-report=term:x", "there is no such report; there are term"),
        ("--whotests-report=html", "`coverage html` makes one"),
        ("--whotests-fail-under=101", "must be from 0 to 100"),
        ("--whotests-precision=12", "must be from 0 to 9"),
        ("--whotests-config=gone.toml", "cannot read"),
        ("--whotests-omit=a**", "the pattern 'a**'"),
    ],
)
def test_what_is_wrong_is_told_before_anything_runs(shop: Path, option: str, told: str) -> None:
    """A usage error of pytest's, exit status 4."""
    ended = run_pytest(shop, "--whotests", option, status=4)
    assert told in ended.err
    assert "collected" not in ended.out


def test_keys_without_meaning_are_told_once(shop: Path) -> None:
    """In the summary, with the reason: those of runs always, those of reports with a report."""
    write_files(shop, {".coveragerc": "[run]\nparallel = true\n[html]\ntitle = x\n"})
    reports = ("--whotests-report=term", "--whotests-report=markdown", "--whotests-fail-under=1")
    out = run_pytest(shop, *SHOP, *reports).out
    assert out.count("whotests: .coveragerc: 'parallel' of [run] changes nothing: ") == 1
    assert out.count("whotests: .coveragerc: 'title' of [html] changes nothing: ") == 1


def test_reports_wait_for_the_run_around(shop: Path) -> None:
    """Within `whotests run` nothing can be reported or checked yet, and pytest's summary says
    so."""
    words = ("-m", "whotests", "run", "--", "python", "-m", "pytest", "-p", "no:cacheprovider")
    ours = ("--whotests", "--whotests-report=term", "--whotests-fail-under=100")
    ended = run_plain("python", *words, *ours, cwd=shop)
    assert ended.status == 0
    for option in ("--whotests-report", "--whotests-fail-under"):
        assert f"whotests: {option} does nothing within `whotests run`" in ended.out


@pytest.mark.parametrize("kind", ["markdown", "markdown-append", "xml"])
def test_a_place_where_nothing_can_be_written(shop: Path, kind: str) -> None:
    """It is named, the run fails for it, and the other reports are made."""
    for place in ("test_shop.py/x", "shop"):
        options = (f"--whotests-report={kind}:{place}", "--whotests-report=json")
        ended = run_pytest(shop, *SHOP, *options, status=1)
        assert "INTERNALERROR" not in ended.out + ended.err
        assert re.search(rf"^whotests: .*\b{place}\b", ended.out, re.MULTILINE)
        assert "wrote coverage.json\n" in ended.out
        assert "1 passed" in ended.out


def test_a_report_is_of_its_own_run(shop: Path) -> None:
    """A run of another name that began meanwhile is the newest, and not what is reported."""
    write_files(
        shop,
        {
            "test_more.py": """
                import subprocess, sys

                def test_another_run():
                    words = "-m pytest -q --whotests=spare --whotests-run-name=other test_shop.py"
                    subprocess.run([sys.executable, *words.split()], check=True)
            """
        },
    )
    reports = ("--whotests-report=term", "--whotests-report=lcov", "--whotests-fail-under=70")
    out = run_pytest(shop, *SHOP, *reports).out
    assert re.search(r"total +8 +2 +2 +1 +70%", out)
    assert "spare" not in (shop / "coverage.lcov").read_text()


def test_with_workers(shop: Path) -> None:
    """With pytest-xdist there is one report, of all workers."""
    out = run_pytest(shop, *SHOP, "-n2", "--whotests-report=term", "--whotests-fail-under=70").out
    assert re.search(r"total +8 +2 +2 +1 +70%", out)
    assert out.count("\ntotal ") == 1
