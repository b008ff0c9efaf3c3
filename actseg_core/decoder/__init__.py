"""From features and sentence to response maps (paper section 3.3)."""
