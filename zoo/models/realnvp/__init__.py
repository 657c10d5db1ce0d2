"""Affine couplings with a Gaussian base: the Boltzmann generator of 2019."""
