"""From a clip to the visual representation: I3D, video encoder, public weights."""
