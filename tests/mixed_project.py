"""A project like those that have grown for long with Twisted: trial's cases beside testtools'."""

__all__ = ["MIXED", "TESTS"]

TESTS = "grid.test"

MIXED = {
    "setup.cfg": "",
    "grid/__init__.py": "",
    "grid/storage.py": """
        from twisted.internet import defer, reactor, task


        class Full(Exception):
            pass


        class Server:
            def __init__(self, size):
                self.size = size
                self.shares = {}

            def put(self, name, share):
                if len(self.shares) >= self.size:
                    raise Full(name)
                self.shares[name] = share
                return share

            def put_later(self, name, share):
                return task.deferLater(reactor, 0.001, self.put, name, share)

            @defer.inlineCallbacks
            def put_all(self, names):
                for name in names:
                    yield self.put_later(name, name)
                return len(self.shares)

            async def fetch(self, name):
                await task.deferLater(reactor, 0.001)
                return self.shares[name]
    """,
    "grid/test/__init__.py": "",
    "grid/test/common.py": """
        from testtools import TestCase
        from testtools.twistedsupport import AsynchronousDeferredRunTest, SynchronousDeferredRunTest


        class SyncTestCase(TestCase):
            run_tests_with = SynchronousDeferredRunTest


        class AsyncTestCase(TestCase):
            run_tests_with = AsynchronousDeferredRunTest.make_factory(timeout=60.0)
    """,
    "grid/test/test_storage.py": """
        import os
        import sys
        import threading

        from grid.storage import Full, Server
        from twisted.internet import defer, reactor, task, threads, utils
        from twisted.internet.protocol import Factory, Protocol
        from twisted.python import log
        from twisted.trial import unittest


        class Later(unittest.TestCase):
            def setUp(self):
                self.server = Server(2)
                return task.deferLater(reactor, 0)

            def tearDown(self):
                return self.server.put_later("last", "share") if self.server.size == 3 else None

            def test_put(self):
                return self.server.put_later("a", "b").addCallback(self.assertEqual, "b")

            def test_full(self):
                return self.assertFailure(self.server.put_all("abc"), Full)

            def test_fails(self):
                return self.server.put_all("ab").addCallback(self.assertEqual, 3)

            def test_errs(self):
                return self.server.put_all("abc")

            async def test_coroutine(self):
                await self.server.put_all("ab")
                self.assertEqual(await self.server.fetch("a"), "a")

            async def test_coroutine_fails(self):
                await self.server.fetch("a")

            def test_todo(self):
                return self.server.put_all("abc")

            test_todo.todo = "make room"

            def test_todo_done(self):
                return self.server.put_all("ab")

            test_todo_done.todo = "make room"

            def test_skip(self):
                raise unittest.SkipTest("no room")

            def test_skip_later(self):
                def skip(share):
                    raise unittest.SkipTest("no room")

                return self.server.put_later("a", "b").addCallback(skip)

            def test_never(self):
                return defer.Deferred()

            test_never.timeout = 0.05

            def test_generator(self):
                yield self.server.put_later("a", "b")

            def test_logs(self):
                log.err(Full("logged"))

            def test_flushes(self):
                log.err(Full("logged"))
                self.assertEqual(len(self.flushLoggedErrors(Full)), 1)

            def test_leaves_a_call(self):
                reactor.callLater(100, lambda: None)

            def test_leaves_a_port(self):
                reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")

            def test_closes_a_port(self):
                port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
                self.addCleanup(port.stopListening)

            def test_unhandled(self):
                defer.fail(Full("nobody listens"))

            def test_thread(self):
                d = threads.deferToThread(threading.current_thread)
                return d.addCallback(self.assertNotEqual, threading.current_thread())

            def test_child(self):
                d = utils.getProcessOutput(sys.executable, ["-c", "print(6 * 7)"], env=os.environ)
                return d.addCallback(lambda said: self.assertEqual(said.strip(), b"42"))

            def test_cleanup_errs(self):
                self.addCleanup(self.server.put_all, "abc")

            def test_cleanup_waits(self):
                self.addCleanup(self.server.put_later, "a", "b")

            def test_temporary(self):
                path = self.mktemp()
                with open(path, "w") as file:
                    file.write("here")
                self.assertFalse(os.path.isabs(path))

            def test_warns(self):
                import warnings

                warnings.warn("old", DeprecationWarning)
                self.assertEqual(len(self.flushWarnings()), 1)


        class BrokenLater(unittest.TestCase):
            def setUp(self):
                return Server(0).put_later("a", "b")

            def test_one(self):
                pass

            def test_two(self):
                pass


        class TooLong(unittest.TestCase):
            timeout = 0.05

            def tearDown(self):
                return defer.Deferred()

            def test_it(self):
                pass


        class At(unittest.SynchronousTestCase):
            def test_fired(self):
                self.assertEqual(self.successResultOf(defer.succeed(1)), 1)

            def test_failed(self):
                self.failureResultOf(defer.fail(Full()), Full)

            def test_not_yet(self):
                self.successResultOf(defer.Deferred())

            def test_logs(self):
                log.err(Full("logged"))

            def test_todo(self):
                self.fail("one day")

            test_todo.todo = (AssertionError, "one day")

            def test_patch(self):
                self.patch(Server, "put", lambda self, name, share: 5)
                self.assertEqual(Server(0).put("a", "b"), 5)
    """,
    "grid/test/test_client.py": """
        import unittest

        from grid.storage import Full, Server
        from grid.test.common import AsyncTestCase, SyncTestCase
        from testtools import TestCase
        from testtools.content import text_content
        from testtools.matchers import Equals, MatchesListwise
        from testtools.twistedsupport import failed, has_no_result, succeeded
        from twisted.internet import defer


        class Client(AsyncTestCase):
            def setUp(self):
                super().setUp()
                self.server = Server(2)

            def test_put(self):
                d = self.server.put_later("a", "b")
                return d.addCallback(self.assertThat, Equals("b"))

            @defer.inlineCallbacks
            def test_fails(self):
                count = yield self.server.put_all("ab")
                self.assertThat(count, Equals(3))

            def test_errs(self):
                return self.server.put_all("abc")

            def test_skips(self):
                self.skipTest("no client")

            def test_details(self):
                self.addDetail("shares", text_content("none"))
                self.fail("without shares")


        class Sync(SyncTestCase):
            def test_fired(self):
                self.assertThat(defer.succeed(1), succeeded(Equals(1)))

            def test_waits(self):
                self.assertThat(defer.Deferred(), has_no_result())

            def test_fails(self):
                self.assertThat(defer.succeed(1), succeeded(Equals(2)))


        class Plain(TestCase):
            def test_list(self):
                self.assertThat([1, 2], MatchesListwise([Equals(1), Equals(2)]))

            def test_expected(self):
                self.expectFailure("one day", self.assertEqual, 1, 2)

            def test_full(self):
                self.assertRaises(Full, Server(0).put, "a", "b")


        class Old(unittest.TestCase):
            def test_passes(self):
                pass

            def test_parts(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.assertNotEqual(number, 1)

            @unittest.expectedFailure
            def test_expected(self):
                self.fail("one day")

            @unittest.skip("old")
            def test_skipped(self):
                self.fail("never")
    """,
    "grid/test/test_gone.py": "from grid import nowhere\n",
    "grid/test/deep/__init__.py": "",
    "grid/test/deep/test_deeper.py": """
        from twisted.trial.unittest import TestCase


        class Deeper(TestCase):
            def test_it(self):
                pass
    """,
}
