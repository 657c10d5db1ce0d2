"""Spec of `laplace`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="laplace",
    summary="Untrained control: torsions uniform, the rest normal about the relaxed minimum or as the data.",
    target="zoo.models.laplace.model:Laplace",
    config="zoo.models.density:DensityConfig",
    tasks=("density",),
    symmetries=("translation",),
    fitted=True,
)
