"""Parameters while the node runs: taken over, or refused with what to do."""

from typing import Any

import pytest

from actseg_core.errors import ConfigError


def test_a_misspelt_parameter_is_refused_at_the_start(make: Any) -> None:
    with pytest.raises(ConfigError, match="there is no parameter presett; known: autostart"):
        make(presett="lite")
