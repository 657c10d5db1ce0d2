"""Any protein in implicit solvent: from a structure file to frames at a choice of resolutions."""
