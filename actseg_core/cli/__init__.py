"""The command line, `actseg`: one module per verb."""

import os

# Read when NumPy is imported. Its products here are small; for each of them a second thread of
# OpenBLAS waits for a core that the network has: 3 to 7 ms a frame instead of 0.4 under load.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
