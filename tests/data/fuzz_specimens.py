"""One small honest file of each format, with the options it needs: what the fuzzer damages."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass
class Specimen:
    """An honest file.

    Args:
        file: to be damaged.
        settings: options of its reader.
        kind: "text"; "binary" (numbers as they are); "sealed" (a checksum guards every byte of content).
        remake: writes the file again from damaged arrays, where it holds arrays by name.
        arrays: those arrays.
    """

    file: Path
    settings: dict[str, Any] = field(default_factory=dict)
    kind: str = "binary"
    remake: Callable[[Mapping[str, Any]], bytes] | None = None
    arrays: dict[str, Any] = field(default_factory=dict)


FRAMES, N = 5, 64
EDGE = (N / 1.2) ** (1 / 3)


def _npz(arrays: Mapping[str, Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _sealed(path: Path, arrays: dict[str, Any], **settings: Any) -> Specimen:
    path.write_bytes(_npz(arrays))
    return Specimen(path, settings, "sealed", _npz, arrays)


def _start() -> tuple[np.ndarray, np.ndarray]:
    """A lattice with noise that fills the box of density 1.2."""
    rng = np.random.default_rng(0)
    grid = (np.stack(np.meshgrid(*[np.arange(4)] * 3), -1).reshape(-1, 3) + 0.5) * EDGE / 4
    return np.mod(grid + rng.uniform(-0.4, 0.4, grid.shape), EDGE), np.repeat([0, 1], [51, 13])


def glassbench(folder: Path) -> Specimen:
    start, types = _start()
    rng = np.random.default_rng(1)
    arrays = {"types": types + 1, "initial_positions": start, "md_prop": rng.uniform(0.1, 1, (10, N)),
              "bb_prop": rng.uniform(0, 1, (10, N))}  # fmt: skip
    return _sealed(folder / "N64T0.44_1.npz", arrays)


def botan(folder: Path) -> Specimen:
    start, types = _start()
    ends = start + np.random.default_rng(1).normal(scale=0.3, size=(4, N, 3))
    arrays = {"types": types.astype(np.int8), "initial_positions": start, "positions": ends}
    return _sealed(folder / "isoconfig_N64T0.44_1_tc07.npz", arrays)


def _old_pickle(record: Mapping[str, Any]) -> bytes:
    """Protocol 3 under the module names of numpy 1, as DeepMind's files have."""
    return pickle.dumps(dict(record), protocol=3).replace(b"numpy._core.", b"numpy.core.")


def deepmind(folder: Path) -> Specimen:
    start, types = _start()
    rng = np.random.default_rng(1)
    record = {
        "positions": start, "types": types.astype(np.int32), "box": np.full(3, EDGE), "time": [0.0, 1.0, 5.0],
        "time_indices": [1, 2], "metadata": {"temperature": 0.44, "fluid": "Kob Andersen"},
        "trajectory_target_positions": [
            [start + s * rng.normal(size=(N, 3)) for _ in range(3)] for s in (0.1, 0.5)
        ],
    }  # fmt: skip
    path = folder / "one.pickle"
    path.write_bytes(_old_pickle(record))
    return Specimen(path, {}, "binary", _old_pickle, record)


def npz(folder: Path) -> Specimen:
    rng = np.random.default_rng(0)
    arrays = {
        "positions": rng.uniform(0, 5, (FRAMES, N, 3)), "types": np.arange(N) % 2,
        "box": np.full((FRAMES, 3), 5.0),
        "forces": rng.normal(size=(FRAMES, N, 3)), "energies": rng.normal(size=FRAMES),
        "time": np.arange(FRAMES, dtype=float), "masses": np.ones(N), "temperature": np.array(0.5),
    }  # fmt: skip
    return _sealed(folder / "a.npz", arrays, units="lj")


def _peptide(folder: Path):  # type: ignore[no-untyped-def]
    from molecules_on_disk import trajectory

    made = trajectory(FRAMES)
    made[0].save_pdb(str(folder / "top.pdb"))
    return made


def mdshare(folder: Path) -> Specimen:
    from zoo.data.formats.mdshare import ATOMS

    made = _peptide(folder)
    index = [a.index for name in ATOMS for a in made.topology.atoms if (a.residue.name, a.name) == name]
    assert len(index) == len(ATOMS)
    flat = np.mod(made.xyz, 2.3222)[:, index].reshape(FRAMES, -1)
    return _sealed(folder / "heavy.npz", {f"arr_{i}": flat for i in range(3)})


def npy(folder: Path) -> Specimen:
    np.save(folder / "a.npy", _peptide(folder).xyz)
    return Specimen(folder / "a.npy", {"units": "nm", "topology": folder / "top.pdb"})


def _mdtraj(ending: str, kind: str = "binary") -> Callable[[Path], Specimen]:
    def write(folder: Path) -> Specimen:
        _peptide(folder).save(str(folder / f"a.{ending}"))
        return Specimen(folder / f"a.{ending}", {"topology": folder / "top.pdb"}, kind)

    return write


def trr(folder: Path) -> Specimen:
    from mdtraj.formats import TRRTrajectoryFile

    made = _peptide(folder)
    with TRRTrajectoryFile(str(folder / "a.trr"), "w") as file:
        file.write(made.xyz, time=made.time, step=np.arange(FRAMES), box=made.unitcell_vectors)
    return Specimen(folder / "a.trr", {"topology": folder / "top.pdb"})


def hdf5(folder: Path) -> Specimen:
    specimen = _mdtraj("h5")(folder)
    del specimen.settings["topology"]
    return specimen


def pdb(folder: Path) -> Specimen:
    _peptide(folder).save_pdb(str(folder / "a.pdb"))
    return Specimen(folder / "a.pdb", {}, "text")


def _atoms() -> list[Any]:
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    rng = np.random.default_rng(0)
    images = []
    for _ in range(FRAMES):
        image = Atoms("H2OCN" * 3, positions=rng.uniform(1, 7, (15, 3)), cell=np.eye(3) * 8, pbc=True)
        image.calc = SinglePointCalculator(image, energy=float(rng.normal()), forces=rng.normal(size=(15, 3)))
        images.append(image)
    return images


def extxyz(folder: Path) -> Specimen:
    from ase.io import write

    write(folder / "a.extxyz", _atoms(), format="extxyz")
    return Specimen(folder / "a.extxyz", {}, "text")


def ase_traj(folder: Path) -> Specimen:
    from ase.io import write

    write(folder / "a.traj", _atoms(), format="traj")
    return Specimen(folder / "a.traj")


def openmm_state(folder: Path) -> Specimen:
    import openmm

    made = _peptide(folder)
    system = openmm.System()
    for _ in range(made.n_atoms):
        system.addParticle(12.0)
    bonds = openmm.HarmonicBondForce()
    for one, other in made.topology.bonds:
        bonds.addBond(one.index, other.index, 0.15, 1000.0)
    system.addForce(bonds)
    system.setDefaultPeriodicBoxVectors(*(3 * np.eye(3)))
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    context.setPositions(made.xyz[0])
    context.setVelocitiesToTemperature(300, 1)
    state = context.getState(positions=True, velocities=True, forces=True, energy=True)
    (folder / "a.xml").write_text(openmm.XmlSerializer.serialize(state))
    return Specimen(folder / "a.xml", {"topology": folder / "top.pdb", "periodic": True}, "text")


def _dump(steps: int = FRAMES) -> str:
    rng = np.random.default_rng(0)
    text = []
    for step in range(steps):
        text += ["ITEM: TIMESTEP", str(10 * step), "ITEM: NUMBER OF ATOMS", "20"]
        text += ["ITEM: BOX BOUNDS xy xz yz pp pp pp", "0 10.5 0.5", "0 10 0", "0 10 0"]
        text += ["ITEM: ATOMS id mol type x y z ix iy iz fx fy fz"]
        for i in rng.permutation(20):
            x, f = rng.uniform(0.5, 9.5, 3), rng.normal(size=3)
            numbers = [i + 1, i // 5 + 1, i % 2 + 1, *x.round(4), *rng.integers(-1, 2, 3), *f.round(4)]
            text.append(" ".join(map(str, numbers)))
    return "\n".join(text) + "\n"


def lammps_dump(folder: Path) -> Specimen:
    (folder / "a.dump").write_text(_dump())
    return Specimen(folder / "a.dump", {"units": "lj"}, "text")


def lammps_dump_gzip(folder: Path) -> Specimen:
    import gzip

    (folder / "a.dump.gz").write_bytes(gzip.compress(_dump().encode(), mtime=0))
    return Specimen(folder / "a.dump.gz", {"units": "lj"}, "sealed")


def lammps_data(folder: Path) -> Specimen:
    from test_lammps_data import WATER

    (folder / "a.data").write_text(WATER)
    return Specimen(folder / "a.data", {"units": "real", "boundary": "p p p"}, "text")


#: By the names of `zoo.data.formats.FORMATS`; what stands behind a colon is another kind of its files.
SPECIMENS: dict[str, Callable[[Path], Specimen]] = {
    "glassbench": glassbench,
    "botan": botan,
    "deepmind": deepmind,
    "mdshare": mdshare,
    "npz": npz,
    "npy": npy,
    "xtc": _mdtraj("xtc"),
    "trr": trr,
    "dcd": _mdtraj("dcd"),
    "hdf5": hdf5,
    "ase-traj": ase_traj,
    "openmm-state": openmm_state,
    "pdb": pdb,
    "extxyz": extxyz,
    "lammps-dump": lammps_dump,
    "lammps-dump:gzip": lammps_dump_gzip,
    "lammps-data": lammps_data,
}
