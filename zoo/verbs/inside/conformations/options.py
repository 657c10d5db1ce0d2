"""Settings of a look at conformations."""

from __future__ import annotations

from pydantic import Field

from zoo.config import Strict


class Options(Strict):
    """Settings of a look at conformations."""

    lag: float | None = Field(
        None, gt=0, description="lag of TICA and of the Markov model, ps or τ; a tenth of a run by default"
    )
    spacing: float | None = Field(
        None, gt=0, description="time between frames, ps or τ, of files that state none but are in order"
    )
    states: int = Field(40, ge=4, description="cells of k-means that the Markov model is made of")
    clusters: int = Field(6, ge=2, description="clusters of k-means with a structure each")
    contact: float | None = Field(
        None, gt=0, description="distance of a contact, Å or σ; 8 Å of Cα, 4.5 Å of heavy atoms by default"
    )
    reweight: bool = Field(
        False, description="weigh a density's draws by the Boltzmann energy: what they tell of equilibrium"
    )
