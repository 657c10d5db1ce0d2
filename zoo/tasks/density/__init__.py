"""Generative models of conformations: from data, from the Boltzmann energy, or from both."""
