"""Every model of the package passes the suite that plugin authors inherit."""

from __future__ import annotations

from zoo.registry import REGISTRY
from zoo.testing import ModelSuite

#: Sizes: small ones of those that are slow by nature, whose default ones are tested elsewhere.
OPTIONS = {
    "equivariant-flow": {"hidden_channels": 8, "num_gaussians": 4, "solver": "rk4", "steps": 8},
    "gat-autoencoder": {"hidden_channels": 8, "decoder_channels": 32},
    # which have no usual size
    "pca": {"latent": 3},
    "segment-map": {"beads": 4},
    "random-map": {"beads": 4},
    "chemical-map": {"beads": 5},
    "frame-rebuild": {"beads": 4},
}

for _entry in REGISTRY.entries("models"):
    if _entry.builtin:
        _name = "Test_" + _entry.name.replace("-", "_")
        _body = {"name": _entry.name, "options": OPTIONS.get(_entry.name, {}), "__module__": __name__}
        globals()[_name] = type(_name, (ModelSuite,), _body)
