"""Baseline: principal components, the best that anything linear can do."""
