"""The actor in space: depth images in; centroid, points and markers out."""
