"""What runs the networks: PyTorch, ONNX Runtime or OpenVINO behind one interface."""
