"""The baseline of beads: the prior, and nothing on top of it."""
