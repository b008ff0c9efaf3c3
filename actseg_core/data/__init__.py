"""Datasets: readers, generator, video files."""
