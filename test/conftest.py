"""Settings of all tests.

The default run draws the same examples every time; `make test-fuzz` draws others, and more.
"""

import os
import signal

from hypothesis import settings

# Who starts the tests in the background of a shell has Ctrl-C ignored, and so would every process
# that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

if "PYTEST_XDIST_WORKER" in os.environ:
    # The workers have all cores. Both are read when torch and OpenCV are imported; on a busy
    # computer OpenCV's threads wait for each other for most of their time.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")

# On a busy machine any example may take long, and nothing timed may fail.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=300, print_blob=True)
settings.load_profile("same")
