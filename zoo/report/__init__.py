"""Figures and the single-file report, drawn from run directories."""
