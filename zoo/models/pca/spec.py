"""Spec of `pca`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="pca",
    summary="Bound: principal components, the least square error that anything linear can have.",
    target="zoo.models.pca.model:PCA",
    config="zoo.models.pca.model:PCAConfig",
    tasks=("reconstruction",),
    symmetries=("translation", "rotation"),
    fitted=True,
)
