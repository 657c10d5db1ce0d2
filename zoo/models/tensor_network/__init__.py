"""Tensor field network."""
