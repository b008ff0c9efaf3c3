"""Settings of all tests.

The default run draws the same examples every time; `make test-fuzz` draws others, and more.
"""

from hypothesis import settings

# On a busy machine any example may take long, and nothing timed may fail.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=300, print_blob=True)
settings.load_profile("same")
