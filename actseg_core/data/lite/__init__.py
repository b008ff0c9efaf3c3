"""Data sources of the lite recipe: photographs, cut-outs, real video, generated clips."""
