"""`gat-autoencoder`: what it sees, what it gives back, and whether it finds two planted torsions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import special, stats
from torch import Tensor

from zoo.data.catalog import open_dataset
from zoo.data.info import DataInfo, data_info
from zoo.errors import ConfigError, DataError
from zoo.models.gat_autoencoder.config import GATAutoencoderConfig
from zoo.models.gat_autoencoder.features import Coordinates, InternalFeatures
from zoo.models.gat_autoencoder.model import GATAutoencoder
from zoo.models.gat_autoencoder.noise import Noise, kl, von_mises
from zoo.physics.superpose import superposed

#: Hydrogens of the first methyl of alanine dipeptide.
METHYL = [0, 2, 3]


@pytest.fixture(scope="module")
def info() -> DataInfo:
    return data_info(open_dataset("alanine-dipeptide").split("train"), "autoencoder")


@pytest.fixture(scope="module")
def x() -> Tensor:
    frames = open_dataset("alanine-dipeptide").split("train").array("positions")
    return torch.from_numpy(frames[::200].astype(np.float64))


@pytest.fixture(scope="module")
def model(info: DataInfo, x: Tensor) -> GATAutoencoder:
    torch.manual_seed(0)
    model = GATAutoencoder(GATAutoencoderConfig(), info)
    model.prepare(x, None)
    return model.double().eval()


def rmsd(a: Tensor, b: Tensor) -> Tensor:
    return (superposed(a, b) - b).square().sum(2).mean(1).sqrt()


# --- features ---------------------------------------------------------------------------------------


def test_features_determine_the_molecule(model: GATAutoencoder, x: Tensor) -> None:
    back = model.features.positions(model.features(x))
    back = model.features.coordinates.labelled_like(back, x)
    assert rmsd(back, x).max() < 1e-6  # Å; the root of rounding in the square


def test_square_distance_is_that_of_superposed_structures(model: GATAutoencoder, x: Tensor) -> None:
    features = model.features
    start = x[:: len(x) // 16][:16]  # the weights are means over about these
    found = features(start)
    step = 0.01
    for torsion in range(features.num_torsions):
        turn = torch.tensor(step) * features.folds[torsion]
        c, s = found.unit[:, torsion].unbind(-1)
        unit = found.unit.clone()
        unit[:, torsion] = torch.stack([c * turn.cos() - s * turn.sin(), s * turn.cos() + c * turn.sin()], -1)
        moved = Coordinates(unit, found.local)
        exact = rmsd(features.positions(moved), features.positions(found)).square().mean()
        # 10 %: conformations differ in how far a torsion moves them, and other sixteen were weighed
        assert features.square_distance(moved, found).mean() == pytest.approx(float(exact), rel=0.1)


def test_a_mirror_image_is_another_conformation(model: GATAutoencoder, x: Tensor) -> None:
    z, mirrored = model.encode(x), model.encode(x * torch.tensor([1.0, 1.0, -1.0]))
    # an untrained encoder already tells them apart by more than conformations differ among themselves
    assert (z - mirrored).norm(dim=1).min() > 0.1 * z.std()


def test_latents_do_not_depend_on_the_place(model: GATAutoencoder, x: Tensor) -> None:
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)).double()).Q
    turn = turn * torch.linalg.det(turn)
    assert torch.allclose(model.encode(x @ turn.T + 5), model.encode(x), atol=1e-9)


def test_like_hydrogens_are_exchanged_freely(model: GATAutoencoder, x: Tensor, info: DataInfo) -> None:
    assert [info.particle_types[a] for a in METHYL] == [1, 1, 1]
    other = x.clone()
    other[:, METHYL] = x[:, [2, 3, 0]]
    assert torch.allclose(model.encode(other), model.encode(x), atol=1e-9)
    rebuilt, expected = model.reconstruct(other), model.reconstruct(x)
    assert torch.allclose(rebuilt[:, METHYL], expected[:, [2, 3, 0]], atol=1e-6)


def test_decoded_bonds_are_those_asked_for(model: GATAutoencoder, info: DataInfo) -> None:
    features = model.features
    z = 3 * torch.randn(50, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    asked = model._coordinates(z).local * features.width + features.mean
    y = model.decode(z)
    seeds = features.coordinates.zmatrix
    pairs = [(seeds.order[0], seeds.order[1]), (seeds.order[2], seeds.order[1]), *seeds.rows[:, :2]]
    a, b = np.array(pairs).T
    lengths = (y[:, a] - y[:, b]).norm(dim=2) / 10  # nm
    assert torch.allclose(lengths, asked[:, -len(pairs) :], atol=1e-9)
    assert torch.allclose(y.mean(1), torch.zeros(3, dtype=y.dtype), atol=1e-9)


def test_decoded_centres_are_not_inverted(model: GATAutoencoder, x: Tensor, info: DataInfo) -> None:
    names = info.atom_names
    ca = names.index("CA")
    bonded = [a + b - ca for a, b in info.bonds if ca in (a, b)]
    n, c, cb = (next(a for a in bonded if names[a] == name) for name in ("N", "C", "CB"))

    def volume(y: Tensor) -> Tensor:
        u, v, w = (y[:, k] - y[:, ca] for k in (n, c, cb))
        return (torch.linalg.cross(u, v) * w).sum(1)

    wild = 30 * torch.randn(500, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    assert (volume(model.decode(wild)).sign() == volume(x)[0].sign()).all()
    assert (volume(model.draw(wild, torch.Generator().manual_seed(4))).sign() == volume(x)[0].sign()).all()


# --- noise ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [0.1, 2.0, 500.0])
def test_von_mises_draws(kappa: float) -> None:
    drawn = von_mises(torch.full((4000,), kappa), torch.Generator().manual_seed(5)).numpy()
    # one in a thousand sound samples would be refused; the seed is not
    assert stats.kstest(drawn, stats.vonmises(kappa).cdf).pvalue > 1e-3


@pytest.mark.parametrize("kappa", [0.3, 1.0, 3.0, 30.0])
def test_concentration_of_a_mean_cosine(kappa: float) -> None:
    noise = Noise(1, 0)
    noise.spread.fill_(1 - special.i1e(kappa) / special.i0e(kappa))
    assert float(noise.concentration) == pytest.approx(kappa, rel=0.005)  # one step of Newton's method


def test_noise_is_what_training_left() -> None:
    noise, generator = Noise(1, 1), torch.Generator().manual_seed(6)
    decoded = Coordinates(torch.tensor([[[1.0, 0.0]]]).expand(2000, 1, 2), torch.zeros(2000, 1))
    angle = 0.3 * torch.randn(2000, 1, generator=generator)
    found = Coordinates(
        torch.stack([angle.cos(), angle.sin()], -1), 0.5 * torch.randn(2000, 1, generator=generator)
    )
    for _ in range(1500):  # the first value fades as 0.99^1500
        noise.update(found, decoded)
    drawn = noise.draw(decoded, generator)
    turned = torch.atan2(drawn.unit[..., 1], drawn.unit[..., 0])
    # 2000 draws of either: 1.6 % standard error each
    assert float(turned.std()) == pytest.approx(0.3, rel=0.08)
    assert float(drawn.local.std()) == pytest.approx(0.5, rel=0.08)


def test_divergence_from_the_prior() -> None:
    mean, log_variance = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    q = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    p = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    exact = torch.distributions.kl_divergence(q, p).sum(1)
    assert torch.allclose(kl(mean, log_variance), exact)


def test_prior_sets_in_slowly(model: GATAutoencoder, x: Tensor) -> None:
    (none, logs), (half, _), (whole, _) = (model.objective(x, None, p) for p in (0.0, 0.15, 0.3))
    assert float((whole - none).detach()) == pytest.approx(float(logs["kl"]))
    assert float((half - none).detach()) == pytest.approx(0.5 * float(logs["kl"]))


def test_samples_depend_on_the_generator_alone(model: GATAutoencoder) -> None:
    first, again, other = (model.sample(5, torch.Generator().manual_seed(s)) for s in (8, 8, 9))
    assert first.shape == (5, 22, 3) and torch.equal(first, again) and not torch.equal(first, other)


# --- training ---------------------------------------------------------------------------------------


def chain(turns: Tensor) -> tuple[DataInfo, Tensor]:
    """Seven carbons in a row, two of whose four torsions are turned by `turns [frames, 2]` rad."""
    atoms = 7
    rng = np.random.default_rng(0)
    reference = np.cumsum(rng.normal(loc=[1.0, 0.0, 0.0], size=(atoms, 3)), 0)
    info = DataInfo(
        interface="autoencoder", units="ase", types=[6], bonds=[(i, i + 1) for i in range(atoms - 1)],
        num_particles=atoms, particle_types=[6] * atoms, reference=reference.tolist(), masses=[12.0] * atoms,
    )  # fmt: skip
    features = InternalFeatures(info)
    q = features.coordinates.from_cartesian(torch.from_numpy(reference)[None])[0].repeat(len(turns), 1)
    q[:, :2] += turns
    q[:, features.coordinates.bond_columns] = 0.15
    q[:, features.coordinates.angle_columns] = math.radians(112)
    return info, features.coordinates.to_cartesian(q)[0]


def test_planted_torsions_are_found() -> None:
    generator = torch.Generator().manual_seed(10)
    turns = 2.4 * (torch.rand(600, 2, generator=generator, dtype=torch.float64) - 0.5)
    info, x = chain(turns)
    spread = rmsd(x[:100], x[100:200]).mean()
    torch.manual_seed(11)
    config = GATAutoencoderConfig(hidden_channels=16, num_layers=1, decoder_channels=64, decoder_layers=2)
    model = GATAutoencoder(config, info)
    model.prepare(x[:500], None)
    model = model.float()
    steps, data = 300, x[:500].float()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    for step in range(steps):
        batch = data[torch.randint(500, (64,), generator=generator)]
        loss, _ = model.objective(batch, None, step / steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()
    unseen = x[500:].float()
    with torch.no_grad():
        off = rmsd(model.reconstruct(unseen), unseen)
    assert spread > 0.4 and off.mean() < 0.1, f"{float(off.mean()):.3f} Å of {float(spread):.3f} Å"


# --- what it refuses --------------------------------------------------------------------------------


def test_no_bonds(info: DataInfo) -> None:
    with pytest.raises(ConfigError, match="bonds"):
        GATAutoencoder(GATAutoencoderConfig(), info.model_copy(update={"bonds": []}))


def test_two_molecules(info: DataInfo) -> None:
    with pytest.raises(DataError, match="one connected molecule"):
        GATAutoencoder(GATAutoencoderConfig(), info.model_copy(update={"bonds": info.bonds[1:]}))
