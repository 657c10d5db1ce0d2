"""Spec of `harmonic`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="harmonic",
    summary="Baseline: harmonic bonds and angles of one molecule, fitted to forces by least squares.",
    target="zoo.models.harmonic.model:Harmonic",
    config="zoo.models.harmonic.model:HarmonicConfig",
    tasks=("forces",),
    symmetries=("translation", "rotation"),
    fitted=True,
)
