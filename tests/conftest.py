"""What holds for all tests, whichever shell has started them."""

import faulthandler
import signal

# A shell lets what runs in its background ignore it, and all that this starts inherits that: but
# Ctrl-C means to what tests start what it means to what people start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """A thread that a test has left behind may keep the process from ending: that is told, too."""
    faulthandler.dump_traceback_later(300, exit=True)
