"""DW4: four particles in the plane, double wells between all pairs."""
