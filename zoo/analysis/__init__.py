"""Statistics of conformations, of particles and of latent spaces: plain functions on arrays."""
