"""Frames on disk and in memory, splits, batches, readers of public formats."""
