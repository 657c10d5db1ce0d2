"""Looks inside while a network trains, and flags of what goes wrong."""
