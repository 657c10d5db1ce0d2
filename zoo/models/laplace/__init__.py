"""The untrained control of Boltzmann generators."""
