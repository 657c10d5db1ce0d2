"""Capped peptides of any sequence in implicit solvent, by replica exchange in torch."""
