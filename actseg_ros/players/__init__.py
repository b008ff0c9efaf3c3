"""Nodes beside the segmentation node: a video or a recording as a camera, and a recorder."""
