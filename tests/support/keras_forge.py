"""Keras h5 files made by hand: a residual network of eight layers, and changes to it."""

import copy
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

SIDE, CHANNELS, CLASSES = 6, 4, 3


def _layer(kind: str, name: str, *sources: str, **config: Any) -> dict[str, Any]:
    nodes = [[[source, 0, 0, {}] for source in sources]] if sources else []
    return {"class_name": kind, "name": name, "config": config, "inbound_nodes": nodes}


def _conv(name: str, source: str, filters: int, size: int, stride: int) -> dict[str, Any]:
    return _layer(
        "Conv2D", name, source, filters=filters, kernel_size=[size, size], use_bias=True,
        strides=[stride, stride], padding="same", dilation_rate=[1, 1], groups=1,
        activation="linear", data_format="channels_last",
    )  # fmt: skip


def description() -> dict[str, Any]:
    """A model_config: one block with a shortcut of stride 2, whose zeros stand on one side."""
    norm = {"axis": [3], "epsilon": 0.001, "center": True, "scale": True}
    layers = [
        _layer("InputLayer", "image", batch_input_shape=[None, SIDE, SIDE, 2]),
        _conv("first", "image", CHANNELS, 3, 1),
        _layer("BatchNormalization", "first_norm", "first", **norm),
        _layer("Activation", "first_relu", "first_norm", activation="relu"),
        _conv("second", "first_relu", CHANNELS, 3, 2),
        _layer("BatchNormalization", "second_norm", "second", **norm),
        _conv("shortcut", "first_relu", CHANNELS, 1, 2),
        _layer("Add", "sum", "shortcut", "second_norm"),
        _layer("Activation", "last_relu", "sum", activation="relu"),
        _layer("AveragePooling2D", "mean", "last_relu", pool_size=[3, 3], strides=[3, 3],
               padding="valid"),
        _layer("Flatten", "flat", "mean"),
        _layer("Dense", "logits", "flat", units=CLASSES, use_bias=True, activation="softmax"),
    ]  # fmt: skip
    config = {"layers": layers, "output_layers": [["logits", 0, 0]]}
    return {"class_name": "Functional", "config": config}


def layer(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The entry of one layer."""
    return next(entry for entry in document["config"]["layers"] if entry["name"] == name)


def arrays(seed: int = 0) -> dict[str, dict[str, np.ndarray]]:
    """Weights of `description`, by layer and name."""
    draw = np.random.default_rng(seed)

    def convolution(inputs: int, size: int) -> dict[str, np.ndarray]:
        kernel = draw.normal(0, (size * size * inputs) ** -0.5, (size, size, inputs, CHANNELS))
        return {"kernel": kernel, "bias": draw.normal(0, 0.3, CHANNELS)}

    def norm() -> dict[str, np.ndarray]:
        names = ("gamma", "beta", "moving_mean")
        values = {name: draw.normal(1, 0.2, CHANNELS) for name in names}
        return {**values, "moving_variance": draw.uniform(0.5, 2, CHANNELS)}

    made = {
        "first": convolution(2, 3), "first_norm": norm(), "second": convolution(CHANNELS, 3),
        "second_norm": norm(), "shortcut": convolution(CHANNELS, 1),
        "logits": {
            "kernel": draw.normal(0, 1, (CHANNELS, CLASSES)), "bias": draw.normal(0, 1, CLASSES),
        },
    }  # fmt: skip
    return {
        name: {key: np.float32(value) for key, value in values.items()}
        for name, values in made.items()
    }


def write(
    path: Path,
    *,
    document: Any = None,
    values: dict[str, dict[str, np.ndarray]] | None = None,
    text: str | None = None,
) -> Path:
    """An h5 file as Keras 2 lays it out; `text` stands in for the JSON of the description."""
    found = description() if document is None else copy.deepcopy(document)
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(found) if text is None else text
        for name, parts in (arrays() if values is None else values).items():
            for key, array in parts.items():
                file[f"model_weights/{name}/{name}/{key}:0"] = array
    return path
