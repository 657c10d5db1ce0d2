"""Tasks: loss, predictions and metrics that join a model and a dataset."""
