"""Liquid argon: positions, velocities, energies and forces."""
