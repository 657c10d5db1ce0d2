"""The baseline without a structure: the mean target of each type."""
