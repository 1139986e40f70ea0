"""What a plain network is made of: its layers with weights, how often each runs, its norms."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tombola.search.allocation import LayerSize
from tombola.spec.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class SurveyedLayer:
    """One convolution or linear layer.

    Attributes
    ----------
    name : str
        In the network.
    size : LayerSize
        A linear layer after a map has the map as its kernel.
    uses : int
        How often it runs for one image; a folded one more than once.
    norm_channels : int
        Channels of the batch norms that follow it, those of all uses together.
    """

    name: str
    size: LayerSize
    uses: int
    norm_channels: int

    @property
    def weights(self) -> int:
        """Weights of the layer, however often it runs."""
        return self.size.weights


def survey(model: nn.Module, *, shape: tuple[int, int, int]) -> list[SurveyedLayer]:
    """The layers with weights, in the order in which they first run; nothing is computed.

    A batch norm belongs to the layer that ran last before it.

    Parameters
    ----------
    model : Module
        Any network of convolutions and linear layers; it is left as it was.
    shape : (int, int, int)
        Channels, height and width of an image.

    Raises
    ------
    ConfigError
        If the network does not take such images, or has no layer with weights.
    """
    watched = _Watch(copy.deepcopy(model).to("meta").eval())
    try:
        watched.model(torch.empty((1, *shape), device="meta"))
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"the network does not take images of {shape}: {reason}") from None
    layers = watched.layers()
    if not layers:
        raise ConfigError("the network has no convolution and no linear layer, so it has no size")
    return layers


class _Watch:
    """Notes what runs, by hooks."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self._names = {module: name for name, module in model.named_modules()}
        self._uses: dict[nn.Module, int] = {}
        self._norm_channels: dict[nn.Module, int] = {}
        self._kernels: dict[nn.Module, tuple[int, int]] = {}
        self._last: nn.Module | None = None
        self._map = (1, 1)
        for module in self._names:
            if isinstance(module, nn.Conv2d | nn.Linear | nn.Flatten | _BatchNorm):
                module.register_forward_pre_hook(self._runs)

    def _runs(self, module: nn.Module, inputs: Sequence[Tensor]) -> None:
        if isinstance(module, nn.Flatten):
            self._map = tuple(inputs[0].shape[2:]) or (1, 1)
        elif isinstance(module, _BatchNorm):
            if self._last is not None:
                self._norm_channels[self._last] += module.num_features
        else:
            self._uses[module] = self._uses.get(module, 0) + 1
            self._norm_channels.setdefault(module, 0)
            self._kernels.setdefault(module, self._kernel(module))
            self._last, self._map = module, (1, 1)

    def _kernel(self, module: nn.Module) -> tuple[int, int]:
        return tuple(module.kernel_size) if isinstance(module, nn.Conv2d) else self._map

    def layers(self) -> list[SurveyedLayer]:
        """What ran, in order."""
        return [
            SurveyedLayer(
                name=self._names[module],
                size=_size(module, self._kernels[module]),
                uses=uses,
                norm_channels=self._norm_channels[module],
            )
            for module, uses in self._uses.items()
        ]


def _size(module: nn.Module, kernel: tuple[int, int]) -> LayerSize:
    if isinstance(module, nn.Conv2d):
        channels = module.in_channels // module.groups
        return LayerSize(out_channels=module.out_channels, in_channels=channels, kernel=kernel)
    channels = module.in_features // (kernel[0] * kernel[1])
    return LayerSize(out_channels=module.out_features, in_channels=channels, kernel=kernel)
