"""A small melt of chains simulated by LAMMPS itself: what its dumps hold is known from `gather_atoms`."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

CHAINS, LENGTH = 4, 10
N = CHAINS * LENGTH
BONDS = [(c * LENGTH + i, c * LENGTH + i + 1) for c in range(CHAINS) for i in range(LENGTH - 1)]
TYPES = np.tile([1] * (LENGTH - 1) + [2], CHAINS)
MOLECULES = np.repeat(np.arange(1, CHAINS + 1), LENGTH)
MASSES = {1: 1.0, 2: 2.5}
EDGE = 5.0


@dataclass
class Truth:
    """What LAMMPS held in memory at each dumped step, sorted by id."""

    steps: list[int] = field(default_factory=list)
    unwrapped: list[np.ndarray] = field(default_factory=list)
    velocities: list[np.ndarray] = field(default_factory=list)
    forces: list[np.ndarray] = field(default_factory=list)
    cells: list[np.ndarray] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)

    def array(self, name: str) -> np.ndarray:
        return np.stack(getattr(self, name))


def data_file(path: Path, tilt: tuple[float, float, float] | None = None, seed: int = 0) -> Path:
    """Write the start: chains as random walks of unit steps, wrapped by LAMMPS when it reads them."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(CHAINS, LENGTH, 3))
    steps /= np.linalg.norm(steps, axis=-1, keepdims=True)
    x = (np.cumsum(steps, axis=1) + rng.uniform(0, EDGE, (CHAINS, 1, 3))).reshape(N, 3)
    lines = ["chains", "", f"{N} atoms", f"{len(BONDS)} bonds", "2 atom types", "1 bond types", ""]
    lines += [f"-1.0 {EDGE - 1} xlo xhi", f"0.5 {EDGE + 0.5} ylo yhi", f"0 {EDGE} zlo zhi"]
    lines += [] if tilt is None else ["{} {} {} xy xz yz".format(*tilt)]
    lines += ["", "Masses", "", *(f"{k} {m}" for k, m in MASSES.items()), "", "Atoms # molecular", ""]
    order = rng.permutation(N)  # ids are not in the order of the file
    lines += [f"{i + 1} {MOLECULES[i]} {TYPES[i]} {x[i, 0]} {x[i, 1]} {x[i, 2]}" for i in order]
    lines += ["", "Bonds", "", *(f"{k + 1} 1 {i + 1} {j + 1}" for k, (i, j) in enumerate(BONDS))]
    path.write_text("\n".join(lines) + "\n")
    return path


class Melt:
    """LAMMPS with the melt, moving.

    Args:
        folder: for the data file, `start.data`.
        tilt: `xy xz yz` of the box, None: orthogonal.
        npt: let the box change from step to step.
    """

    def __init__(
        self, folder: Path, tilt: tuple[float, float, float] | None = None, *, npt: bool = False,
        units: str = "lj",
    ) -> None:  # fmt: skip
        from zoo.engines.lammps import load_lammps

        self.data = data_file(folder / "start.data", tilt)
        self.lmp: Any = load_lammps()(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
        self.do(
            f"units {units}", "atom_style molecular", "atom_modify map array",
            "special_bonds lj 0 1 1", "bond_style harmonic", "pair_style soft 1.0",
            f"read_data {self.data}", "bond_coeff * 100.0 0.97", "pair_coeff * * 5.0",
            "velocity all create 1.0 7 loop all", "neighbor 0.4 bin", "comm_modify cutoff 3.0",
            "fix move all nve" if not npt else "fix move all npt temp 1 1 1 tri 2.0 2.0 1.0" if tilt
            else "fix move all npt temp 1 1 1 aniso 2.0 2.0 1.0",
            "timestep 0.004", "compute pe all pe/atom", "thermo 1000000", "thermo_modify norm no",
        )  # fmt: skip

    def do(self, *commands: str) -> None:
        for command in commands:
            self.lmp.command(command)

    def gather(self, name: str) -> np.ndarray:
        return np.array(self.lmp.gather_atoms(name, 1, 3), np.float64).reshape(N, 3)

    def advance(self, pieces: int = 6, every: int = 25, truth: Truth | None = None) -> Truth:
        """Run, and note what stands in memory at each dumped step (dumps are written every `every`)."""
        truth = truth or Truth()
        self.do("run 0 post no")
        for piece in range(pieces):
            if piece:
                self.do(f"run {every} post no")
            low, high, xy, yz, xz = self.lmp.extract_box()[:5]
            cell = np.diag(np.subtract(high, low))
            cell[1, 0], cell[2, 0], cell[2, 1] = xy, xz, yz
            images = np.array(self.lmp.gather_atoms("image", 0, 3)).reshape(N, 3)
            truth.steps.append(int(self.lmp.get_thermo("step")))
            truth.unwrapped.append(self.gather("x") + images @ cell - low)
            truth.velocities.append(self.gather("v"))
            truth.forces.append(self.gather("f"))
            truth.cells.append(cell)
            truth.energies.append(self.lmp.get_thermo("pe"))
        return truth

    def scatter(self, name: str, values: np.ndarray) -> None:
        flat = np.ascontiguousarray(values, np.float64).ravel()
        self.lmp.scatter_atoms(name, 1, 3, flat.ctypes.data_as(ctypes.POINTER(ctypes.c_double)))

    def close(self) -> None:
        self.lmp.close()


def edited(path: Path, out: Path, change: Callable[[str], str]) -> Path:
    """Write a changed copy of a text file."""
    out.write_text(change(path.read_text()))
    return out
