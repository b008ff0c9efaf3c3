"""Objects of a frame and what speaks for a sentence meaning them; never torch."""
