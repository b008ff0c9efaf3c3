"""Launched nodes on a domain of their own."""

from ros_domains import domain

__all__ = ["domain"]  # fixture of test/support
