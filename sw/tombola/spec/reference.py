"""Integer inference in plain numpy: slow, short, and what every other implementation must equal."""

import numpy as np

from tombola.spec import arithmetic, rules
from tombola.spec.edges import aggregate, checked_edges
from tombola.spec.errors import ConfigError
from tombola.spec.ticket import AveragePool, Conv, MaxPool, Rescale, Ticket, Window

LEAST = -(1 << 31)


def input_tensor(ticket: Ticket, images: np.ndarray) -> np.ndarray:
    """Uint8 images through the input table, as int64 (batch, channels, height, width).

    Parameters
    ----------
    images : uint8 array (batch, ...)
        Each with as many values as the ticket's input has, in (channel, height, width) order; a
        network that takes pixels as channels reads the same bytes as one that takes a map.

    Raises
    ------
    ConfigError
        If the images are not uint8 or have another number of values.
    """
    shape = ticket.input.shape
    if images.dtype != np.uint8 or images.ndim < 2 or np.prod(images.shape[1:]) != np.prod(shape):
        raise ConfigError(
            f"images must be uint8 with {'x'.join(map(str, shape))} values each, "
            f"not {images.dtype} of shape {images.shape}"
        )
    images = images.reshape(images.shape[0], *shape)
    channel = np.arange(shape[0]) % ticket.input.table.shape[0]
    return ticket.input.table.astype(np.int64)[channel[:, None, None], images]


def infer(
    ticket: Ticket, images: np.ndarray, *, edges: np.ndarray | None = None
) -> list[np.ndarray]:
    """Every tensor of the network, tensor 0 being the input and the last the logits.

    Parameters
    ----------
    images : uint8 array (batch, channels, height, width)
    edges : integer array (3, edges), optional
        Sources, targets and int8 weights; needed where the ticket aggregates over a graph.

    Returns
    -------
    list of int64 arrays (batch, channels, height, width)
    """
    shapes = [info.shape for info in rules.check(ticket)]
    tensors = [input_tensor(ticket, images)]
    for index, layer in enumerate(ticket.layers):
        source, (channels, height, width) = tensors[layer.input], shapes[index + 1]
        size = (source.shape[0], channels, height, width)
        if isinstance(layer, Conv):
            sums = _convolve(source, ticket.weights(layer.mask).astype(np.int64), layer, size)
        elif isinstance(layer, MaxPool):
            views = _windows(source, layer.kernel, layer.window, size, LEAST)
            tensors.append(np.max([view for _, _, view in views], axis=0))
            continue
        elif isinstance(layer, AveragePool):
            views = _windows(source, layer.kernel, layer.window, size, 0)
            sums = np.sum([view for _, _, view in views], axis=0)
        elif isinstance(layer, Rescale):
            sums = source
        else:
            sums = aggregate(source, checked_edges(edges, nodes=height * width))
        table = ticket.requantisations[layer.requantisation]
        residual = getattr(layer, "residual", None)
        tensors.append(
            arithmetic.requantise(
                sums,
                table.scale.astype(np.int64)[:, None, None],
                table.bias.astype(np.int64)[:, None, None],
                shift=table.shift,
                clamp=table.clamp,
                residual=0 if residual is None else tensors[residual.tensor],
                residual_scale=0 if residual is None else residual.scale,
            )
        )
    return tensors


def logits(
    ticket: Ticket, images: np.ndarray, *, edges: np.ndarray | None = None
) -> np.ndarray:
    """Int64 array (batch, values): the last tensor, flattened in (channel, height, width) order."""
    return infer(ticket, images, edges=edges)[-1].reshape(images.shape[0], -1)


def _windows(
    source: np.ndarray,
    kernel: tuple[int, int],
    window: Window,
    size: tuple[int, ...],
    padding_value: int,
) -> list[tuple[int, int, np.ndarray]]:
    """For each kernel position (ky, kx) what it sees at every output position."""
    top, left, bottom, right = window.padding
    padded = np.pad(
        source, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=padding_value
    )
    (down, across), (height, width) = window.stride, size[2:]
    return [
        (ky, kx, padded[:, :, ky::down, kx::across][:, :, :height, :width])
        for ky in range(kernel[0])
        for kx in range(kernel[1])
    ]


def _convolve(
    source: np.ndarray, weights: np.ndarray, layer: Conv, size: tuple[int, ...]
) -> np.ndarray:
    sums = np.zeros(size, dtype=np.int64)
    outs, ins = size[1] // layer.groups, weights.shape[1]
    for group in range(layer.groups):
        out, channels = (
            slice(group * outs, (group + 1) * outs),
            slice(group * ins, (group + 1) * ins),
        )
        for ky, kx, view in _windows(source, weights.shape[2:], layer.window, size, 0):
            sums[:, out] += np.einsum(
                "oc,bchw->bohw", weights[out, :, ky, kx], view[:, channels], optimize=True
            )
    return sums
