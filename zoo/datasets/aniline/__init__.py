"""Aniline, a phenyl ring with an amino group."""
