"""Batched samplers of the canonical ensemble, for any potential, on any device.

A potential maps positions `[batch, particles, dim]` to energies `[batch]`; each row of the batch is
an independent replica with its own temperature. Units are the caller's, but consistent: `kT` in the
potential's unit of energy, and masses such that mass · velocity² is energy. `inertia` converts the
masses of a `zoo.units` system: with Å, eV, amu and ps, velocities are in Å/ps, times in ps, friction in 1/ps.

    generator = torch.Generator().manual_seed(1)
    langevin = Langevin(potential, inertia(masses, ASE), kT=ASE.boltzmann * 300, timestep=0.001, friction=1.0)
    state = langevin.start(positions, generator)
    for _ in range(frames):
        state = langevin.advance(state, 100, generator)     # state.positions, .energies, .forces

The generator lives on the device of the positions. State and generator decide everything that
follows: a run continued from both is, bit for bit, the run that was not stopped.
"""

from zoo.physics.samplers.ais import AIS, Annealed, LogDensity
from zoo.physics.samplers.hmc import HMC
from zoo.physics.samplers.langevin import Langevin
from zoo.physics.samplers.pivot import Pivots, turning_side
from zoo.physics.samplers.replica_exchange import Ladder, ReplicaExchange, geometric_ladder, per_row
from zoo.physics.samplers.state import Potential, State, inertia, maxwell

__all__ = [
    "AIS",
    "HMC",
    "Annealed",
    "Ladder",
    "Langevin",
    "LogDensity",
    "Pivots",
    "Potential",
    "ReplicaExchange",
    "State",
    "geometric_ladder",
    "inertia",
    "maxwell",
    "per_row",
    "turning_side",
]
