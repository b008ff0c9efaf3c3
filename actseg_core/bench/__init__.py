"""`actseg bench`: how fast the streaming engine is on this machine, against what is possible."""
