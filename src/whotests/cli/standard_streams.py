"""Standard input, output and error, where a program was started without them."""

import os
import sys

__all__ = ["open_standard_streams"]


def open_standard_streams() -> None:
    """See to it that all three are there; one that was closed leads nowhere.

    Otherwise the next file that is opened would have its number, and what processes print
    would go there.
    """
    for number, mode in ((0, "r"), (1, "w"), (2, "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        name = ("stdin", "stdout", "stderr")[number]
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)
