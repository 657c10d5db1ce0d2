"""Settings of the graph-attention autoencoder."""

from __future__ import annotations

from pydantic import Field, model_validator

from zoo.config import Strict


class GATAutoencoderConfig(Strict):
    """Size of the latent, of encoder and decoder, and how fine it is."""

    latent: int = Field(2, ge=1, le=1024, description="numbers that a conformation is reduced to")
    hidden_channels: int = Field(32, ge=1, le=4096, description="features of each atom in the encoder")
    heads: int = Field(4, ge=1, le=256, description="attention heads; divides hidden_channels")
    num_layers: int = Field(2, ge=1, le=64, description="attention layers")
    decoder_channels: int = Field(128, ge=1, le=65536, description="width of the decoder")
    decoder_layers: int = Field(3, ge=1, le=64, description="hidden layers of the decoder")
    resolution: float = Field(
        0.1, gt=0, description="RMSD (Å or σ) at which two structures count as one; smaller: a finer latent"
    )
    kl_warmup: float = Field(
        0.3, ge=0, le=1, description="share of the training over which the prior sets in"
    )

    @model_validator(mode="after")
    def _heads_divide_channels(self) -> GATAutoencoderConfig:
        if self.hidden_channels % self.heads:
            raise ValueError(f"heads = {self.heads} must divide hidden_channels = {self.hidden_channels}")
        return self
