"""How long a test waits before it says that something hangs."""

PATIENCE_S = 240.0  # a computer may be busy for minutes; pyproject.toml's timeout is longer
