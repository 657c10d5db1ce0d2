"""Flows that sample alanine dipeptide from its energy, beside the untrained control."""
