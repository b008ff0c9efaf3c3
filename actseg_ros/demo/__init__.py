"""What `make demo` runs, and a recording to try the nodes with."""
