"""Statistics of latent spaces: dimension, information, comparison, maps, sensitivity."""
