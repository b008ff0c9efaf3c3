"""The command line, `actseg`: one module per verb."""
