"""Pictures and flags of looks, as TensorBoard reads them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from synthetic import glass

import zoo
from zoo.run import run_flags

reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def test_looks_are_in_the_events(tmp_path: Path) -> None:
    where = glass(tmp_path / "glass")
    settings = {
        "train.batch_size": 2, "train.accelerator": "cpu", "train.logger": "tensorboard",
        "model.hidden_channels": 8, "optim.lr": 1e-9, "optim.schedule": "constant",
    }  # fmt: skip
    run = zoo.train(
        "gat", where, epochs=16, settings=settings, out=tmp_path / "run", look_every=10, with_baselines=False
    )
    events = reading.EventAccumulator(
        str(run.path / "tensorboard"), size_guidance={"images": 0, "tensors": 0}
    )
    events.Reload()
    tags = events.Tags()
    assert {"slice/Propensity of a slice", "slice/Agreement by time"} <= set(tags["images"])
    images = events.Images("slice/Propensity of a slice")
    rows = run.curve()
    assert [image.step for image in images] == [rows[9]["step"], rows[15]["step"]]
    pixels = imread(io.BytesIO(images[0].encoded_image_string))
    assert pixels.shape[:2] == (images[0].height, images[0].width) and images[0].width > 300
    colors = np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0)
    assert pixels[0, 0, :3].min() == 1 and len(colors) > 50  # on white, and something is drawn
    assert "val_loss" in tags["scalars"]
    (text,) = [tag for tag in tags["tensors"] if tag.startswith("flags")]
    told = [entry.tensor_proto.string_val[0].decode() for entry in events.Tensors(text)]
    assert "stalled" in [flag.kind for flag in run_flags(run)]  # at such a learning rate
    assert "**stalled**" not in told[0] and "**stalled**" in told[1]
