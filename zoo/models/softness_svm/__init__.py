"""Softness: how far a particle's surroundings are on the side of those that rearrange."""
