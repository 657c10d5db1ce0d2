"""Settings of `cg-autoencoder`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from zoo.config import Strict


class CGAutoencoderConfig(Strict):
    """Beads, decoder, annealing and the terms of the loss besides the square error, all without unit."""

    beads: int = Field(6, ge=1)
    centers: Literal["mass", "plain"] = Field("mass", description="what a bead is the centre of")
    decoder: Literal["least-squares", "learned"] = Field(
        "least-squares", description="the best linear one of each map, or free weights as published"
    )
    offset: bool = Field(
        False, description="decode deviations from the mean structure; needs task.align=true"
    )
    restarts: int = Field(4, ge=1, description="assignments that are trained side by side; the best is kept")
    tau_start: float = Field(4.0, gt=0, description="first temperature of the Gumbel-softmax")
    tau_end: float = Field(
        0.1, gt=0, description="last one; both equal: no annealing, as in the public codes"
    )
    hold: float = Field(0.2, ge=0, lt=1, description="share of the training at the last temperature")
    force_weight: float = Field(0.0, ge=0, description="ρ: weight of the mean square force on beads")
    force_from: float = Field(0.5, ge=0, le=1, description="share of the training after which forces count")
    contiguity: float = Field(0.0, ge=0, description="weight of the bonds that are cut")
    entropy: float = Field(0.0, ge=0, description="weight of the assignment's entropy")
    rescue: bool = Field(True, description="give a bead without particles half of the worst one")
    refine: bool = Field(
        True, description="at the end move single particles while the loss falls; choose by held-out frames"
    )
