"""The half of the node that needs no ROS: frames, sentences, stamps, states and one thread."""
