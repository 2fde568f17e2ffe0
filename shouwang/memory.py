"""The memory of a process that has started, and is to run for months."""

import ctypes
import gc
from contextlib import suppress

#: A parameter of glibc's mallopt, by its malloc.h.
_M_ARENA_MAX = -8

#: Objects that are made before the collector looks at them.
_YOUNG = 20_000


def be_modest() -> None:
    """Let all threads take their memory from one place; to be called before there are any.

    They take turns anyway, and what each keeps for itself nobody else can have.
    """
    # The allocator of most Linux systems; elsewhere there is no such function.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def settle() -> None:
    """Give back what the start has left, and let the collector look only at what is made from now on.

    Walking through the modules and everything else that stays would stop the process for a tenth of a second again and
    again, in the middle of an alarm at the worst.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    # What a batch of messages makes is let go by counting; looking for circles every 700 objects took a tenth of all
    # processor time.
    gc.set_threshold(_YOUNG, 20, 20)
    # The allocator of most Linux systems keeps what is free; elsewhere there is no such function.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
