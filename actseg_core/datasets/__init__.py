"""Datasets: readers, and samples for training."""
