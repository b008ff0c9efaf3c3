"""Settings of all tests.

The default run draws the same examples every time; `make test-fuzz` draws others, and more.
"""

import os

from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # the workers have all cores; read when torch is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# On a busy machine any example may take long, and nothing timed may fail.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=300, print_blob=True)
settings.load_profile("same")
