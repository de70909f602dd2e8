"""What work takes at least, for tests of how costs grow, whatever the machine makes of it."""

import gc
import time
from collections.abc import Callable


def least_seconds(work: Callable[[], object], *, of: int = 3) -> float:
    """Seconds of processor time that the quickest of some calls took.

    The garbage collector rests meanwhile: what it would go through is what the
    tests of before have left in the process, not what the work made.
    """
    took = []
    active = gc.isenabled()
    gc.disable()
    try:
        for _ in range(of):
            began = time.process_time()
            work()
            took.append(time.process_time() - began)
    finally:
        if active:
            gc.enable()
    return min(took)
