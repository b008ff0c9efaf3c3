"""The action `~/find`: look for one sentence's actor until it has been seen surely."""
