"""MEGNet and liquid argon, as a plugin of the zoo."""
