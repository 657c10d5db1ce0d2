"""The verbs as plain functions: train, evaluate, create."""
