"""Spec of the `propensity` task."""

from zoo.registry.spec import TaskSpec

SPEC = TaskSpec(
    name="propensity",
    summary="Predict each particle's mean displacement over iso-configurational runs.",
    target="zoo.tasks.propensity.task:PropensityTask",
    config="zoo.tasks.propensity.config:PropensityConfig",
    baselines=("type-mean", "ridge"),
    headline="pearson_mean_A",
    larger_is_better=True,
    citation="Widmer-Cooper, Harrowell, Fynewever, Phys. Rev. Lett. 93, 135701 (2004)",
)
