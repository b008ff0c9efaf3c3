"""From a sentence to word vectors and from those to one sentence vector (paper section 3.1)."""
