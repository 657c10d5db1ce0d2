"""Every method that predicts the dynamics of a glass from its structure, side by side."""
