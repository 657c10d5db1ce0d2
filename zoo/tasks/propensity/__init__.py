"""Propensities of the particles of a glass, from its structure."""
