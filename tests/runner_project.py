"""A small project with tests of every kind, and what a run of it says, recorded or not."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from branch_facts import BranchFacts
from facts import Facts, whotests_facts
from measured_commands import Ended, recorded_outcomes, write_files

__all__ = [
    "DATA",
    "PRODUCT",
    "PYTEST",
    "Recorded",
    "explained",
    "facts_of_tests",
    "make",
    "recorded",
    "reports",
]

DATA = ".whotests/data.db"
PRODUCT = {
    "pyproject.toml": """
        [project]
        name = "shop"
    """,
    "shop/__init__.py": "",
    "shop/basket.py": '''
        RATES = {"book": 7, "lamp": 19}


        class Unknown(LookupError):
            pass


        class Basket:
            """What somebody wants to buy.

            >>> sorted(Basket("lamp", "book").rates())
            [7, 19]
            """

            def __init__(self, *names):
                self.names = list(names)
                self.sent = []

            def total(self, prices):
                total = 0
                for name in self.names:
                    if name not in prices:
                        raise Unknown(name)
                    total += prices[name]
                return total

            def rates(self):
                for name in self.names:
                    if name in RATES:
                        yield RATES[name]
                    else:
                        yield 0

            async def order(self, wait):
                for name in self.names:
                    try:
                        await wait(name)
                    except OSError:
                        return False
                    finally:
                        self.sent.append(name)
                return True

            def clear(self):
                while self.names:
                    self.names.pop()


        def sign(number):
            """-1, 0 or 1.

            >>> sign(-5)
            -1
            """
            if number < 0:
                return -1
            return 1 if number else 0


        def size(text):
            match len(text):
                case 0:
                    return "none"
                case length if length > 3:
                    return "large"
            return "small"
    ''',
}
"""The package, of which `sign`, `size` and a basket are tested."""

PYTEST = {
    "pytest.ini": """
        [pytest]
        asyncio_default_fixture_loop_scope = function
        markers = xdist_group
    """,
    "report_writer.py": """
        import json
        import os


        def pytest_runtest_logreport(report):
            if "PYTEST_XDIST_WORKER" in os.environ:
                return
            expected = hasattr(report, "wasxfail")
            subtest = type(report).__name__.lower() == "subtestreport"
            with open("reports", "a") as file:
                words = [report.nodeid, report.when, report.outcome, expected, subtest]
                file.write(json.dumps(words) + "\\n")
    """,
    "tests/conftest.py": """
        import pytest
        from shop.basket import Basket


        @pytest.fixture
        def basket():
            basket = Basket("book", "lamp", "tea")
            yield basket
            basket.clear()
    """,
    "tests/test_plain.py": """
        import unittest

        import pytest
        from shop.basket import Basket, Unknown, sign, size


        @pytest.mark.parametrize("number", [-2, 0, 3])
        def test_sign(number):
            assert sign(number) == (number > 0) - (number < 0)


        def test_total(basket):
            assert basket.total({"book": 1, "lamp": 2, "tea": 3}) == 6


        def test_unknown(basket):
            with pytest.raises(Unknown):
                basket.total({"book": 1})


        def test_fails(basket):
            assert list(basket.rates()) == [1]


        @pytest.mark.xfail
        def test_expected():
            assert sign(1) == 2


        @pytest.mark.xfail
        def test_unexpected():
            assert sign(1) == 1


        @pytest.mark.xfail(strict=True)
        def test_strict():
            assert sign(0) == 0


        @pytest.mark.skip
        def test_skipped():
            assert False


        def test_skips():
            if sign(-1) < 0:
                pytest.skip("negative")


        @pytest.fixture
        def broken():
            sign(1)
            raise OSError


        def test_error(broken):
            sign(-1)


        @pytest.fixture
        def untidy():
            yield
            raise OSError(sign(1))


        @pytest.mark.xdist_group("one")
        def test_untidy(untidy):
            assert size("abcd") == "large"


        @pytest.mark.xdist_group("one")
        class TestSize:
            def setup_method(self):
                self.text = "ab"

            def test_small(self):
                assert size(self.text) == "small"

            def test_none(self):
                assert size("") == "none"


        class Old(unittest.TestCase):
            def setUp(self):
                self.basket = Basket("book")
                self.addCleanup(self.basket.clear)

            def test_rates(self):
                self.assertEqual(list(self.basket.rates()), [7])

            def test_parts(self):
                for number in (-1, 0, 1):
                    with self.subTest(number=number):
                        self.assertEqual(sign(number), 1)


        class Waiting(unittest.IsolatedAsyncioTestCase):
            async def asyncSetUp(self):
                self.basket = Basket("book", "lamp")

            async def test_order(self):
                async def wait(name):
                    if name == "lamp":
                        raise OSError

                self.assertFalse(await self.basket.order(wait))
    """,
    "tests/test_parts.py": """
        from shop.basket import sign, size


        def test_all_pass(subtests):
            for text in ("", "a", "abcd"):
                with subtests.test(text=text):
                    assert size(text)


        def test_one_fails(subtests):
            for number in (-1, 0, 1):
                with subtests.test(number=number):
                    assert sign(number) != 0
    """,
    "tests/test_waiting.py": """
        import asyncio

        import pytest
        import pytest_asyncio
        from shop.basket import Basket, sign

        pytestmark = pytest.mark.asyncio(loop_scope="module")


        async def wait(name):
            await asyncio.sleep(0.001)
            if name == "tea":
                raise OSError


        @pytest_asyncio.fixture(loop_scope="module")
        async def lamp():
            await asyncio.sleep(0)
            basket = Basket("lamp")
            yield basket
            await asyncio.sleep(0)
            basket.clear()


        async def test_order(basket):
            assert not await basket.order(wait)


        async def test_fixture(lamp):
            assert await lamp.order(wait)


        async def test_together(lamp, basket):
            assert await asyncio.gather(lamp.order(wait), basket.order(wait)) == [True, False]


        async def test_fails():
            assert sign(1) == 0


        @pytest.mark.asyncio(loop_scope="function")
        async def test_own_loop(basket):
            task = asyncio.create_task(basket.order(wait))
            assert sign(-1) == -1
            assert not await task
    """,
    "tests/test_anyio.py": """
        import anyio
        import pytest
        from shop.basket import Basket, sign

        pytestmark = pytest.mark.anyio


        @pytest.fixture(params=["asyncio", "trio"])
        def anyio_backend(request):
            return request.param


        async def wait(name):
            await anyio.sleep(0.001)
            if name == "tea":
                raise OSError


        @pytest.fixture
        async def tea():
            await anyio.sleep(0)
            basket = Basket("tea")
            yield basket
            await anyio.sleep(0)
            basket.clear()


        async def test_order(tea):
            assert not await tea.order(wait)


        async def test_group(tea):
            async with anyio.create_task_group() as group:
                group.start_soon(tea.order, wait)
                group.start_soon(Basket("lamp").order, wait)
                assert sign(0) == 0
            assert tea.sent == ["tea"]


        async def test_thread():
            assert await anyio.to_thread.run_sync(sign, -1) == 1
    """,
    "tests/test_properties.py": """
        from hypothesis import given, settings
        from hypothesis import strategies as st
        from shop.basket import sign, size

        repeatable = settings(derandomize=True, database=None, max_examples=20, deadline=None)


        @repeatable
        @given(st.integers())
        def test_sign(number):
            assert sign(number) == -sign(-number)


        @repeatable
        @given(st.text(max_size=9))
        def test_size(text):
            assert size(text) != "large"
    """,
    "tests/test_children.py": """
        import os
        import subprocess
        import sys
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        from shop.basket import sign, size


        def test_child():
            code = "from shop.basket import sign; print(sign(-1))"
            assert subprocess.check_output([sys.executable, "-c", code]) == b"-1\\n"


        def test_fork():
            if (child := os.fork()) == 0:
                size("")
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0


        def test_pool():
            with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
                assert pool.submit(sign, 5).result() == 0
    """,
    "tests/guide.rst": """
        A guide
        =======

        >>> from shop.basket import Basket
        >>> basket = Basket("tea")
        >>> basket.total({"tea": 4})
        4
    """,
}
"""Tests of it for pytest, with the settings that its plugins need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a measured run of the project recorded."""

    outcomes: dict[str, str]
    lines: Facts
    branches: Facts


def make(folder: Path, *parts: dict[str, str]) -> Path:
    """Writes the project with some tests into the folder."""
    for files in (PRODUCT, *parts):
        write_files(folder, files)
    return folder


def recorded(folder: Path) -> Recorded:
    """What is recorded there."""
    data = folder / DATA
    return Recorded(
        outcomes=recorded_outcomes(folder),
        lines=facts_of_tests(whotests_facts(data, folder)),
        branches=facts_of_tests(BranchFacts(folder).of_whotests(data)),
    )


def facts_of_tests(facts: Facts) -> Facts:
    """Without contexts in which nothing ran, and with one for what no test ran."""
    found: dict[tuple[str, str], int] = {}
    for (context, path), bits in facts.items():
        name = context if "|" in context else ""
        found[name, path] = found.get((name, path), 0) | bits
    return {key: bits for key, bits in found.items() if bits}


def reports(folder: Path) -> Counter[tuple[object, ...]]:
    """The reports of tests that pytest got: node id, phase, outcome, whether it was expected to
    fail, whether it is of a subtest."""
    text = (folder / "reports").read_text()
    return Counter(tuple(json.loads(line)) for line in text.splitlines())


def explained(ended: Ended) -> str:
    """What a command wrote, for the message of an assertion."""
    return ended.out[-4000:] + ended.err[-2000:]
