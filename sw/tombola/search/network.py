"""A preset's network under search, from its parts, the settings and the shape of the images."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tombola.search import architecture
from tombola.search.allocation import LayerSize, freeze_ratios
from tombola.search.architecture import Part
from tombola.search.freezing import check_bounds
from tombola.search.layers import STEP, Activation, MaskedConv, Mean, Norm
from tombola.search.selection import keep_layerwise, keep_networkwide
from tombola.search.settings import SearchSettings
from tombola.spec.errors import ConfigError
from tombola.spec.weight_stream import WeightSet, freeze_counts

INPUT_STEP = 1 / 255
"""Real value of an input byte of 1: images run from 0 to 1."""


class Network(nn.Module):
    """A network whose masks can be searched.

    Activations run through it as the very integers of the exported ticket, held in float32.

    Parameters
    ----------
    parts : sequence of Part
        The last one is a `Linear` and makes the logits.
    shape : (int, int, int)
        Channels, height and width of an image.
    settings : SearchSettings

    Raises
    ------
    ConfigError
        If the parts do not fit the shape, or the drawn freezing leaves no room for the sparsity.
    """

    def __init__(
        self, parts: Sequence[Part], *, shape: tuple[int, int, int], settings: SearchSettings
    ) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.shape = shape
        self.settings = settings
        if not self.parts or not isinstance(self.parts[-1], architecture.Linear):
            raise ConfigError("the last part of a network must be a Linear, which makes the logits")
        modules: list[nn.Module] = []
        sizes = layer_sizes(self.parts, shape)
        ratios = freeze_ratios(
            sizes, prune=settings.prune, lock=settings.lock, allocation=settings.allocation
        )
        convs = iter(enumerate(zip(sizes, ratios, strict=True)))
        for index, part in enumerate(self.parts):
            if isinstance(part, architecture.MaxPooling):
                modules.append(nn.MaxPool2d(part.size))
                continue
            if isinstance(part, architecture.AveragePooling):
                modules.append(Mean(part.size))
                continue
            number, (size, (prune, lock)) = next(convs)
            pruned, locked = freeze_counts(prune, lock)
            weight_set = WeightSet(
                id=number,
                out_channels=size.out_channels,
                in_channels=size.in_channels,
                kernel=size.kernel,
                prune=pruned,
                lock=locked,
            )
            modules.append(self._conv(part, weight_set))
            if index < len(self.parts) - 1:
                modules += [Norm(size.out_channels), Activation()]
        self.body = nn.Sequential(*_pool_first(modules))
        counts = [conv.counts for conv in self.convs]
        check_bounds(counts, sparsity=settings.sparsity, layerwise=settings.scope == "layer")
        self.select()

    def _conv(
        self, part: architecture.Linear | architecture.Convolution, weight_set: WeightSet
    ) -> MaskedConv:
        linear = isinstance(part, architecture.Linear)
        return MaskedConv(
            weight_set,
            seed=self.settings.seed,
            source=self.settings.weights,
            input_step=INPUT_STEP if weight_set.id == 0 else STEP,
            padding=0 if linear else part.padding,
            stride=1 if linear else part.stride,
            whole_map=linear,
        )

    @property
    def convs(self) -> list[MaskedConv]:
        """Layers with weights, in the order of the network."""
        return [module for module in self.body if isinstance(module, MaskedConv)]

    @property
    def norms(self) -> list[Norm]:
        """The batch norm after each layer with weights but the last."""
        return [module for module in self.body if isinstance(module, Norm)]

    @torch.no_grad()
    def select(self) -> None:
        """Sets every mask from the scores; to be called after each step of the optimiser."""
        keys = [conv.keys() for conv in self.convs]
        keep = keep_layerwise if self.settings.scope == "layer" else keep_networkwide
        for conv, kept in zip(self.convs, keep(keys, sparsity=self.settings.sparsity), strict=True):
            conv.keep(kept)

    def forward(self, images: Tensor) -> Tensor:
        """Uint8 images (batch, channels, height, width) to logits (batch, classes)."""
        return self.body(images.float()).flatten(1)


def layer_sizes(parts: Sequence[Part], shape: tuple[int, int, int]) -> list[LayerSize]:
    """Channels and kernel of each part with weights, for images of that shape.

    Raises
    ------
    ConfigError
        If a window is larger than the map it runs over.
    """
    channels, height, width = shape
    sizes = []
    for index, part in enumerate(parts):
        if isinstance(part, architecture.Linear):
            kernel, height, width, out = (height, width), 1, 1, part.out
        elif isinstance(part, architecture.Convolution):
            kernel, out = (part.kernel, part.kernel), part.out
            height = (height + 2 * part.padding - part.kernel) // part.stride + 1
            width = (width + 2 * part.padding - part.kernel) // part.stride + 1
        else:
            kernel, out = None, channels
            height, width = height // part.size, width // part.size
        if height < 1 or width < 1:
            raise ConfigError(f"part {index} has a window larger than the map it runs over")
        if kernel is not None:
            sizes.append(LayerSize(out_channels=out, in_channels=channels, kernel=kernel))
        channels = out
    return sizes


def _pool_first(modules: list[nn.Module]) -> list[nn.Module]:
    """Moves each max pooling ahead of the rounding before it.

    Rounding never changes which value is the largest, so the result is the same, and rounding has
    a quarter of the values to visit.
    """
    out = list(modules)
    for index in range(1, len(out)):
        if isinstance(out[index], nn.MaxPool2d) and isinstance(out[index - 1], Activation):
            out[index - 1], out[index] = out[index], out[index - 1]
    return out
