"""Equivariant network for glasses."""
