"""Ridge regression on descriptors."""
