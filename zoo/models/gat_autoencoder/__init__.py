"""Variational autoencoder of internal coordinates with a graph-attention encoder."""
