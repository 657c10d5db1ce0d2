"""Continuous flow on Cartesian coordinates with an equivariant vector field."""
