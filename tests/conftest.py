"""Ctrl-C means to what tests start what it means to what people start."""

import signal

# A shell lets what runs in its background ignore it, and all that this starts inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
