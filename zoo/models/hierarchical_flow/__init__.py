"""Torsions first, then angles, then bonds, each given those before."""
