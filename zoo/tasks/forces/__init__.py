"""Energies and forces of a potential."""
