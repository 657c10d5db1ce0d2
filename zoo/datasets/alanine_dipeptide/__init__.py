"""Alanine dipeptide in implicit solvent, the system that the literature compares on."""
