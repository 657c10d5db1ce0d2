"""Datasets, one folder an entry."""
