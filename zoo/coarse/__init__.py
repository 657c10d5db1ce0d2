"""Coarse-graining: maps from particles to beads, the forces on beads, and what is known of both
beforehand.
"""
