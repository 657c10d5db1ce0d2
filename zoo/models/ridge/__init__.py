"""Ridge regression on radial densities."""
