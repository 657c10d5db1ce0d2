"""The zoo's potentials in engines of dynamics: ASE, OpenMM, LAMMPS."""
