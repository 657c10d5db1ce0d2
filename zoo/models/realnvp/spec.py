"""Spec of `realnvp`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="realnvp",
    summary="Affine couplings of a Gaussian, torsions cut open: the Boltzmann generator of 2019.",
    target="zoo.models.realnvp.model:RealNVP",
    config="zoo.models.realnvp.model:RealNVPConfig",
    citation="Noé, Olsson, Köhler, Wu, Science 365, eaaw1147 (2019); Dinh et al., arXiv:1605.08803",
    tasks=("density",),
    symmetries=("translation",),
)
