"""Spline couplings of a mixture, so that separate modes need no bridge between them."""
