"""Settings of all tests."""

from hypothesis import settings

# On a busy machine any example may take long, and nothing timed may fail.
settings.register_profile("actseg", deadline=None)
settings.load_profile("actseg")
