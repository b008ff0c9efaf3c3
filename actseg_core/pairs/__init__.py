"""Segmentation from the 43 actor-action pairs (paper section 5.3)."""
