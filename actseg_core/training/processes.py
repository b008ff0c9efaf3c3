"""Which of several processes this one is."""

from lightning.fabric.utilities.rank_zero import rank_zero_only


def is_first_process() -> bool:
    """Whether this is the one process that writes files, also before a trainer is made."""
    return getattr(rank_zero_only, "rank", 0) == 0
