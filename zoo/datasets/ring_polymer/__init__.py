"""Kremer-Grest polymers: rings and linear chains, one or a melt."""
