"""The ROS 2 nodes: segmentation, a video played as a camera, a recorder, and the demo."""

import os

# Read when NumPy is imported. Its products here are small; for each of them a second thread of
# OpenBLAS waits for a core that the network or the camera has: 3 to 7 ms a frame instead of 0.4.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
