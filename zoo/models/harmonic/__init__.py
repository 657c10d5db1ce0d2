"""The baseline of bonded terms: harmonic bonds and angles."""
