"""Spec of `frame-rebuild`."""

from zoo.registry.spec import ModelSpec

SPEC = ModelSpec(
    name="frame-rebuild",
    summary="Baseline: each atom at its mean place in the frame of its bead and two neighbours (Cα rebuild).",
    target="zoo.models.frame_rebuild.model:FrameRebuild",
    config="zoo.models.frame_rebuild.model:FrameRebuildConfig",
    tasks=("reconstruction",),
    symmetries=("translation", "rotation"),
    fitted=True,
)
