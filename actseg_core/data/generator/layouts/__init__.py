"""Generated clips on disk, in the layouts of A2D Sentences and J-HMDB Sentences."""
