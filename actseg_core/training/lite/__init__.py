"""Training of the objects network: features computed once, then everything above them."""
