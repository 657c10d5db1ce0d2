"""Coarse-graining autoencoder: learned assignment of particles to beads, linear decoder."""
