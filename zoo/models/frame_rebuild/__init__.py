"""Baseline: structures rebuilt from the mean of each atom in the frame of its bead."""
