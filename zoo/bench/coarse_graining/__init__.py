"""Benchmark of coarse-graining: maps, decoders, potentials and their dynamics."""
