"""The ROS 2 nodes: segmentation, a video played as a camera, a recorder, and the demo."""
