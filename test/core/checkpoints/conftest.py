"""Public weights to read, and what a network filled with them must compute."""

from i3d_reference import (
    as_hassony2,
    as_own,
    as_piergiaj,
    as_tf,
    make_weights,
    slow,
    slow_i3d,
    write_tf,
)

__all__ = [
    "as_hassony2",
    "as_own",
    "as_piergiaj",
    "as_tf",
    "make_weights",
    "slow",
    "slow_i3d",
    "write_tf",
]
