"""Memory that was freed goes back to the system."""

import ctypes
import gc


def give_back() -> None:
    """Collect what is unreachable and let the C library return free pages, where it can.

    glibc keeps the freed pages of a model for itself, in pieces: with the shipped weights some
    20 MB more with each cleanup and configure, although nothing leaks.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # not glibc
        return
    trim(0)
