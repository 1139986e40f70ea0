"""A network wired as a file describes it, with the weights that the file holds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tombola.spec.errors import ConfigError


class Layer(Protocol):
    """One operation, as `tombola.data` reads it from a file; see there what each member holds."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    arrays: Mapping[str, np.ndarray]
    options: Mapping[str, Any]


class Wired(nn.Module):
    """Layers that read one another by name; the last one makes the result.

    Parameters
    ----------
    layers : sequence of Layer
        In an order in which each reads only earlier ones.
    image : str
        What the layers call the image.

    Raises
    ------
    ConfigError
        If a layer is of an unknown kind, or named as a module cannot be.
    """

    def __init__(self, layers: Sequence[Layer], *, image: str) -> None:
        super().__init__()
        self._wires = [(layer.name, layer.inputs) for layer in layers]
        self._image = image
        for layer in layers:
            maker = _MAKERS.get(layer.kind)
            if maker is None or hasattr(self, layer.name):
                raise ConfigError(f"layer {layer.name} of kind {layer.kind} cannot become a module")
            self.add_module(layer.name, maker(layer))

    def forward(self, images: Tensor) -> Tensor:
        """(batch, channels, height, width) to what the last layer makes."""
        values = {self._image: images}
        for name, inputs in self._wires:
            values[name] = getattr(self, name)(*(values[source] for source in inputs))
        return values[self._wires[-1][0]]


class _Add(nn.Module):
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return first + second


@torch.no_grad()
def _fill(module: nn.Module, values: Mapping[str, np.ndarray]) -> nn.Module:
    for name, array in values.items():
        getattr(module, name).copy_(torch.from_numpy(np.array(array)))
    return module


def _convolution(layer: Layer) -> nn.Module:
    outputs, inputs, *kernel = layer.arrays["weight"].shape
    above, left, below, right = layer.options["padding"]
    even = (above, left) == (below, right)
    module = nn.Conv2d(
        inputs * layer.options["groups"],
        outputs,
        tuple(kernel),
        stride=layer.options["stride"],
        padding=(above, left) if even else 0,
        groups=layer.options["groups"],
        bias="bias" in layer.arrays,
    )
    filled = _fill(module, layer.arrays)
    return filled if even else nn.Sequential(nn.ZeroPad2d((left, right, above, below)), filled)


def _linear(layer: Layer) -> nn.Module:
    outputs, inputs = layer.arrays["weight"].shape
    return _fill(nn.Linear(inputs, outputs, bias="bias" in layer.arrays), layer.arrays)


def _norm(layer: Layer) -> nn.Module:
    kind = nn.BatchNorm2d if len(layer.shape) == 3 else nn.BatchNorm1d
    module = kind(layer.shape[0], eps=layer.options["epsilon"])
    names = {
        "mean": "running_mean", "variance": "running_var", "scale": "weight", "shift": "bias",
    }  # fmt: skip
    return _fill(module, {names[name]: array for name, array in layer.arrays.items()})


_MAKERS: dict[str, Callable[[Layer], nn.Module]] = {
    "convolution": _convolution,
    "linear": _linear,
    "norm": _norm,
    "relu": lambda layer: nn.ReLU(),
    "add": lambda layer: _Add(),
    "average": lambda layer: nn.AvgPool2d(**_window(layer)),
    "maximum": lambda layer: nn.MaxPool2d(**_window(layer)),
    "flatten": lambda layer: nn.Flatten(),
}


def _window(layer: Layer) -> dict[str, Any]:
    return {"kernel_size": layer.options["kernel"], "stride": layer.options["stride"]}
