"""Baselines: maps that are not learned, with the best linear decoder."""
