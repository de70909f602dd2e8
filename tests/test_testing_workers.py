"""The threads of suites that run at the same time, apart from any suite."""

import signal
import threading
import time

import pytest

from whotests.testing.suites.workers import Job, Workers


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="handlers run there"
)
def test_ctrl_c_that_a_worker_gets_stops_all() -> None:
    """The system may give the signal to any thread. The one that waits hears of it soon, though
    no worker has anything to say."""
    stopped = threading.Event()
    asked = 0.0

    def work() -> None:
        nonlocal asked
        time.sleep(0.2)  # the main thread waits by now
        asked = time.monotonic()
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        stopped.wait(20)

    workers = Workers(2, name="test")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            workers.run(
                iter([Job(work, stopped.set)]), hear=lambda said: None, should_stop=lambda: False
            )
    finally:
        signal.signal(signal.SIGINT, before)
    assert stopped.is_set()
    assert time.monotonic() - asked < 10
