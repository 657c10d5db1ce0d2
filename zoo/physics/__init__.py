"""Energies, forces and coordinates."""
