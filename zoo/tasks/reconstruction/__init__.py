"""Autoencoders of conformations, coarse-graining ones above all."""
