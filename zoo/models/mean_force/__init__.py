"""The baseline without a structure: the mean force on each atom."""
