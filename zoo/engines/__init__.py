"""What makes trajectories: independent runs in processes, OpenMM, LAMMPS."""
