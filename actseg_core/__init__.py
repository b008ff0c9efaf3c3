"""Find the actor that a sentence describes in a video, pixel by pixel. No ROS in here.

Start with `actseg_core.predictor.Predictor` (clip + sentences -> masks) or
`actseg_core.streaming.engine.StreamingEngine` (camera frames -> masks).
"""
