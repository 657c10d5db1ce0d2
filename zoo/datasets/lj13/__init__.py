"""LJ13: thirteen Lennard-Jones particles in a harmonic trap."""
