"""Frames of dynamics made exact samples of their temperature: Hamiltonian Monte Carlo from each of them."""

from __future__ import annotations

import numpy as np
import torch

from zoo import keys
from zoo.engines.replica_exchange import ExchangeJob
from zoo.physics import from_openmm
from zoo.physics.samplers import HMC, inertia
from zoo.units import ASE, BOLTZMANN_EV

#: ps and leapfrog steps of one trajectory: 10 fs is half a period of a bond to a heavy hydrogen.
TIMESTEP, STEPS = 0.001, 10


class Polish:
    """Trajectories that are accepted by Metropolis take away what the time step put into stiff bonds.

    At 3 fs the bonds of a peptide read 2 to 4 % above the thermostat; basins are not touched by it.
    Some thirty trajectories with fresh velocities let bonds and angles forget that.
    """

    def __init__(self, job: ExchangeJob) -> None:
        self.job = job
        self.label = from_openmm(job.system_xml).to(job.device)
        potential = from_openmm(job.system_xml).float().to(job.device)
        mass = inertia(np.array(job.masses), ASE)
        self.sampler = HMC(potential, mass, BOLTZMANN_EV * job.lowest, TIMESTEP, STEPS)

    def __call__(self, positions: np.ndarray, ensemble: int) -> dict[str, np.ndarray]:
        """Return positions, forces and energies after `job.polish` trajectories of each frame.

        Args:
            positions: `[frames, atoms, 3]` in Å, at the lowest temperature.
            ensemble: its number; it decides the random numbers, with the job's seed.
        """
        job = self.job
        (word,) = np.random.SeedSequence([job.seed, ensemble], spawn_key=(1,)).generate_state(1)
        generator = torch.Generator(device=job.device).manual_seed(int(word))
        state = self.sampler.start(torch.tensor(positions, device=job.device), generator)
        x = self.sampler.advance(state, job.polish, generator).positions
        x = x - x.mean(1, keepdim=True)
        energies, forces = self.label.energy_and_forces(x.double())
        return {
            keys.POSITIONS: x.cpu().numpy(),
            keys.FORCES: forces.float().cpu().numpy(),
            keys.ENERGIES: energies.cpu().numpy(),
        }
