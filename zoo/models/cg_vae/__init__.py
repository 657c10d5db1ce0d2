"""Variational decoder of beads: one bead configuration, many structures."""
