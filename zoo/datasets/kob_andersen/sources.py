"""Public files of Kob-Andersen mixtures: what `zoo data fetch kob-andersen` knows."""

from __future__ import annotations

from zoo.registry.spec import Source

_GLASSBENCH = {"kind": "zenodo", "location": "10118191", "format": "glassbench", "license": "CC-BY-4.0"}

SOURCES = (
    *(
        Source(
            name=f"glassbench-{t}",
            summary=f"GlassBench, three dimensions, T = {t}: 4,096 particles, ten times (all of it: 6 GB)",
            pattern="KA",
            inside=rf"T{t}/(train|test)/N4096T{t}_\d+\.npz$".replace(".", r"\.", 1),
            **_GLASSBENCH,  # type: ignore[arg-type]
        )
        for t in ("0.44", "0.50", "0.56", "0.64")
    ),
    *(
        Source(
            name=f"glassbench-2d-{t}",
            summary=f"GlassBench, two dimensions, three species, T = {t}: 1,290 particles",
            pattern="KA",
            inside=rf"T{t}/(train|test)/N1290T{t}_\d+_tc\d+\.npz$".replace(".", r"\.", 1),
            **_GLASSBENCH,  # type: ignore[arg-type]
        )
        for t in ("0.23", "0.30")
    ),
    Source(
        name="deepmind",
        summary="Bapst et al. 2020, all temperatures (100 GB: choose with --match and --files)",
        kind="google",
        location="deepmind-research-glassy-dynamics",
        pattern=r"(train|test)/aggregated.*\.pickle$",
        format="deepmind",
        license="CC-BY-4.0",
    ),
)
