"""Trained networks of Keras 2: convolutions, norms, additions, poolings and dense layers."""

from pathlib import Path
from typing import Any

import numpy as np

from ..spec.errors import DataError
from .keras_file import KerasFile, open_keras
from .keras_layer import Description
from .trained import TrainedLayer, TrainedNetwork

__all__ = ["read"]


def read(path: Path) -> TrainedNetwork:
    """The network in an h5 file that Keras 2 saved whole.

    Kernels come out as (out, in, height, width), and a dense layer behind a flattened map reads
    channel, row, column. "same" padding becomes the zeros that it stands for: where their number is
    odd, the one more is below and to the right. A softmax at the end is left out, since it changes
    no ranking.

    Raises
    ------
    DataError
        With the path, the layer and what of it cannot be read.
    """
    with open_keras(path) as file:
        return _Builder(file, Description(file.description())).network(path.name)


class _Builder:
    """Turns the described layers one by one into ours."""

    def __init__(self, file: KerasFile, description: Description) -> None:
        self._file, self._description = file, description
        self._layers: list[TrainedLayer] = []
        self._made: dict[str, TrainedLayer] = {}
        self._stands_for: dict[str, str] = {}

    def network(self, name: str) -> TrainedNetwork:
        """The whole network."""
        description = self._description
        image = description.image
        self._made[image] = TrainedLayer(
            name=image, kind="image", inputs=(), shape=description.shape
        )
        self._stands_for[image] = image
        for layer in description.layers:
            self._read(layer)
        last = self._stands_for.get(description.output)
        if not self._layers or last != self._layers[-1].name:
            raise DataError(f"its output must be its last layer, not {description.output}")
        return TrainedNetwork(
            name=name, input=image, shape=description.shape, layers=tuple(self._layers)
        )

    def _read(self, layer: Any) -> None:
        reader = _READERS.get(layer.kind)
        if reader is None:
            raise DataError(
                f"layer {layer.name} is {layer.kind}; known: {', '.join(_READERS)}"
            )
        sources = []
        for name in layer.inputs:
            if name not in self._stands_for:
                raise DataError(f"layer {layer.name} reads {name}, which no earlier layer makes")
            sources.append(self._made[self._stands_for[name]])
        if not sources or (len(sources) > 1 and layer.kind != "Add"):
            raise DataError(f"layer {layer.name} must read one layer, not {len(sources)}")
        if sources[0].kind == "flatten" and layer.kind != "Dense":
            raise DataError(f"layer {layer.name} reads a flattened map, which only Dense may")
        reader(self, layer, *sources)

    def _make(self, layer: Any, kind: str, *sources: TrainedLayer, **parts: Any) -> TrainedLayer:
        """Adds a layer of ours, which stands for that of the file."""
        made = TrainedLayer(
            name=layer.name, kind=kind, inputs=tuple(source.name for source in sources), **parts
        )
        self._add(made, layer.name)
        return made

    def _add(self, made: TrainedLayer, stands_for: str) -> None:
        self._layers.append(made)
        self._made[made.name] = made
        self._stands_for[stands_for] = made.name

    def _activate(self, layer: Any, source: TrainedLayer, name: str) -> None:
        """The activation that a layer names, behind what it has made."""
        activation = layer.text("activation")
        if activation == "relu":
            made = TrainedLayer(name=name, kind="relu", inputs=(source.name,), shape=source.shape)
            self._add(made, layer.name)
        elif activation == "linear" or (
            activation == "softmax" and layer.name == self._description.output
        ):
            self._stands_for[layer.name] = source.name
        else:
            raise DataError(
                f"layer {layer.name} has the activation {activation}; known: linear, relu, and "
                "softmax at the end"
            )

    def _convolution(self, layer: Any, source: TrainedLayer) -> None:
        channels, *size = _map(layer, source)
        kernel, stride = layer.pair("kernel_size"), layer.pair("strides")
        outputs, groups = layer.count("filters"), layer.count("groups", 1)
        if layer.pair("dilation_rate") != (1, 1):
            raise DataError(f"layer {layer.name} must not be dilated")
        if channels % groups or outputs % groups:
            raise DataError(f"layer {layer.name} has {groups} groups, which do not divide channels")
        padding = _padding(layer, size, kernel, stride)
        made = [
            (size[i] + padding[i] + padding[i + 2] - kernel[i]) // stride[i] + 1 for i in (0, 1)
        ]
        if min(made) < 1:
            raise DataError(f"layer {layer.name} has a kernel larger than its map")
        shape = (*kernel, channels // groups, outputs)
        arrays = {"weight": self._file.array(layer.name, "kernel", shape).transpose(3, 2, 0, 1)}
        options = {"stride": stride, "padding": padding, "groups": groups}
        self._weights(layer, "convolution", source, arrays, (outputs, *made), options)

    def _dense(self, layer: Any, source: TrainedLayer) -> None:
        outputs, inputs = layer.count("units"), int(np.prod(source.shape))
        if len(source.shape) != 1:
            raise DataError(f"layer {layer.name} must read a flat tensor, not {source.shape}")
        weight = self._file.array(layer.name, "kernel", (inputs, outputs))
        if source.kind == "flatten":  # Keras flattens row, column, channel
            channels, height, width = self._made[source.inputs[0]].shape
            weight = weight.reshape(height, width, channels, outputs).transpose(2, 0, 1, 3)
        arrays = {"weight": weight.reshape(inputs, outputs).T}
        self._weights(layer, "linear", source, arrays, (outputs,), {})

    def _weights(
        self, layer: Any, kind: str, source: TrainedLayer, arrays: dict[str, np.ndarray],
        shape: tuple[int, ...], options: dict[str, Any],
    ) -> None:  # fmt: skip
        if layer.flag("use_bias"):
            arrays["bias"] = self._file.array(layer.name, "bias", (shape[0],))
        made = self._make(layer, kind, source, shape=shape, arrays=arrays, options=options)
        self._activate(layer, made, f"{layer.name}_activation")

    def _norm(self, layer: Any, source: TrainedLayer) -> None:
        if layer.axis() not in (-1, len(source.shape)):
            raise DataError(f"layer {layer.name} must normalise channels")
        names = {"mean": "moving_mean", "variance": "moving_variance"}
        names |= {"scale": "gamma"} if layer.flag("scale") else {}
        names |= {"shift": "beta"} if layer.flag("center") else {}
        arrays = {
            ours: self._file.array(layer.name, theirs, source.shape[:1])
            for ours, theirs in names.items()
        }
        epsilon = layer.number("epsilon")
        if (arrays["variance"] + epsilon).min() <= 0:
            raise DataError(f"layer {layer.name} must have variances above 0")
        self._make(
            layer, "norm", source, shape=source.shape, arrays=arrays, options={"epsilon": epsilon}
        )

    def _activation(self, layer: Any, source: TrainedLayer) -> None:
        self._activate(layer, source, layer.name)

    def _addition(self, layer: Any, *sources: TrainedLayer) -> None:
        if len(sources) != 2 or sources[0].shape != sources[1].shape:
            raise DataError(f"layer {layer.name} must add two tensors of one shape")
        self._make(layer, "add", *sources, shape=sources[0].shape)

    def _pooling(self, layer: Any, source: TrainedLayer) -> None:
        channels, *size = _map(layer, source)
        kernel, stride = layer.pair("pool_size"), layer.pair("strides")
        if layer.text("padding") != "valid" or kernel[0] > size[0] or kernel[1] > size[1]:
            raise DataError(f"layer {layer.name} must have its windows within the map")
        made = [(size[i] - kernel[i]) // stride[i] + 1 for i in (0, 1)]
        kind = "average" if layer.kind == "AveragePooling2D" else "maximum"
        self._make(
            layer, kind, source, shape=(channels, *made),
            options={"kernel": kernel, "stride": stride},
        )  # fmt: skip

    def _flatten(self, layer: Any, source: TrainedLayer) -> None:
        shape = (int(np.prod(_map(layer, source))),)
        self._make(layer, "flatten", source, shape=shape)


def _map(layer: Any, source: TrainedLayer) -> tuple[int, ...]:
    if len(source.shape) != 3:
        raise DataError(f"layer {layer.name} must read a map, not {source.shape}")
    return source.shape


def _padding(
    layer: Any, size: list[int], kernel: tuple[int, int], stride: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Zeros above, to the left, below and to the right."""
    kind = layer.text("padding")
    if kind == "valid":
        return 0, 0, 0, 0
    if kind != "same":
        raise DataError(f"layer {layer.name} has padding {kind}; known: same, valid")
    # As many windows as strides begin within the map.
    zeros = [
        max(-(-n // s) * s - s + k - n, 0) for n, k, s in zip(size, kernel, stride, strict=True)
    ]
    above, left = (count // 2 for count in zeros)
    return above, left, zeros[0] - above, zeros[1] - left


_READERS = {
    "Conv2D": _Builder._convolution,
    "BatchNormalization": _Builder._norm,
    "Activation": _Builder._activation,
    "Add": _Builder._addition,
    "AveragePooling2D": _Builder._pooling,
    "MaxPooling2D": _Builder._pooling,
    "Flatten": _Builder._flatten,
    "Dense": _Builder._dense,
}
