"""Specs of the maps that are not learned."""

from zoo.registry.spec import ModelSpec

SEGMENT_MAP = ModelSpec(
    name="segment-map",
    summary="Baseline: beads are contiguous segments of the bonds; least-squares decoder.",
    target="zoo.models.fixed_map.model:SegmentMap",
    config="zoo.models.fixed_map.model:SegmentMapConfig",
    tasks=("reconstruction",),
    symmetries=("translation", "rotation"),
    fitted=True,
)
RANDOM_MAP = ModelSpec(
    name="random-map",
    summary="Baseline: particles are put into beads at random; least-squares decoder.",
    target="zoo.models.fixed_map.model:RandomMap",
    config="zoo.models.fixed_map.model:RandomMapConfig",
    tasks=("reconstruction",),
    symmetries=("translation", "rotation"),
    fitted=True,
)
CHEMICAL_MAP = ModelSpec(
    name="chemical-map",
    summary="Baseline: beads by chemistry (Cα, residue, backbone, heavy atoms); least-squares decoder.",
    target="zoo.models.fixed_map.model:ChemicalMap",
    config="zoo.models.fixed_map.model:ChemicalMapConfig",
    tasks=("reconstruction",),
    symmetries=("translation", "rotation"),
    fitted=True,
)
