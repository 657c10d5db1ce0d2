"""Every model of the package passes the suite that plugin authors inherit."""

from __future__ import annotations

import pytest

from zoo.data.prior import PriorTerms, Walls, Wells
from zoo.registry import REGISTRY
from zoo.testing import ModelSuite
from zoo.testing.subject import Subject, made_up_info

#: Sizes: small ones of those that are slow by nature, whose default ones are tested elsewhere.
OPTIONS = {
    "equivariant-flow": {"hidden_channels": 8, "num_gaussians": 4, "solver": "rk4", "steps": 8},
    "tensor-network": {"channels": 4, "num_gaussians": 8, "radial_channels": 8},
    "gat-autoencoder": {"hidden_channels": 8, "decoder_channels": 32},
    # which have no usual size
    "pca": {"latent": 3},
    "segment-map": {"beads": 4},
    "random-map": {"beads": 4},
    "chemical-map": {"beads": 5},
    "frame-rebuild": {"beads": 4},
}

#: Which is nothing without a prior, and has a class of its own.
NEEDS_PRIOR = "prior-only"

for _entry in REGISTRY.entries("models"):
    if _entry.builtin and _entry.name != NEEDS_PRIOR:
        _name = "Test_" + _entry.name.replace("-", "_")
        _body = {"name": _entry.name, "options": OPTIONS.get(_entry.name, {}), "__module__": __name__}
        globals()[_name] = type(_name, (ModelSuite,), _body)


class TestPriorOnly(ModelSuite):
    """Beneath this model there are bonds, angles and a repulsion."""

    name = NEEDS_PRIOR

    @pytest.fixture
    def subject(self, task: str) -> Subject:
        info = made_up_info("potential")
        chain = range(info.num_particles)
        info.prior = PriorTerms(
            bonds=Wells(atoms=[[i, i + 1] for i in chain[:-1]], center=[1.5] * 8, stiffness=[0.01] * 8),
            angles=Wells(
                atoms=[[i, i + 1, i + 2] for i in chain[:-2]], center=[1.9] * 7, stiffness=[0.01] * 7
            ),
            repulsion=Walls(atoms=[[0, 4], [3, 8]], sigma=[1.0, 1.2], epsilon=0.003, power=12),
        )
        return Subject(self.name, task, info=info)
