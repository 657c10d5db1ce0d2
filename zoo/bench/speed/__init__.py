"""Throughput of training, neighbour lists and sums, beside the tools that others use."""
