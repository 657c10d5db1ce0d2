"""Watching a run as it trains: a local page that reads the run directory, and pictures for TensorBoard."""
