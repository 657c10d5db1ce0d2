"""Circular spline couplings, as the literature's Boltzmann generators have them."""
