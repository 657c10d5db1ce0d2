"""Graph attention with edge features."""
