"""Networks that grow while they train: where, what, and how much of it."""
