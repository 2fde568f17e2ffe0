"""The memory of a process that has started, and is to run for months."""

import ctypes
import gc
from contextlib import suppress


def settle() -> None:
    """Give back what the start has left, and let the collector look only at what is made from now on.

    Walking through the modules and everything else that stays would stop the process for a tenth of a second again and
    again, in the middle of an alarm at the worst.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    # The allocator of most Linux systems keeps what is free; elsewhere there is no such function.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
