"""Encode-process-decode network of Bapst et al."""
