"""MEGNet: edges, nodes and a global state that learn from each other."""
