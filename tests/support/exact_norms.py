"""Norms and steps that are powers of two, so that a ticket rounds exactly as its network does."""

import math

import torch

from tombola.search.activation import RunningQuantiser
from tombola.search.layers import ConvLayer
from tombola.search.norm import BatchNorm, FrozenNorm


@torch.no_grad()
def make_exact(net, images) -> None:
    """Gives every norm of a network a slope that makes each sum a multiple of 2^-k steps.

    The slopes bring these images to a deviation of about 1. The offset lies half way between two
    multiples, so that float32 comes nowhere near a tie, and the 16 bits of a ticket hold slope and
    offset without an error.
    """
    net.eval()
    for module in net.modules():
        if isinstance(module, RunningQuantiser):
            module.step = torch.tensor(1 / 32)
    for layer in net.layers:
        if isinstance(layer, ConvLayer) and isinstance(layer.norm, BatchNorm | FrozenNorm):
            layer.register_forward_pre_hook(_fit)
    net(images)
    for layer in net.layers:
        layer._forward_pre_hooks.clear()


def _fit(layer: ConvLayer, inputs) -> None:
    source, norm, conv = inputs[0], layer.norm, layer.conv
    unit = torch.as_tensor(conv.constant).flatten() * float(source.step)
    step = 1.0 if layer.quantiser is None else float(layer.quantiser.step)
    deviation = float((conv(source.values, source.step) / unit[:, None, None]).std())
    part = 2.0 ** -max(1, round(math.log2(max(deviation, 1.0) * step)))
    slope = part * step / unit
    if isinstance(norm, FrozenNorm):
        norm.slope.copy_(slope[:, None, None].expand_as(norm.slope))
        norm.offset.fill_(part / 2 * step)
        return
    norm.variance.copy_(slope.expand_as(norm.variance) ** -2 - norm.epsilon)
    norm.mean.copy_(-part / 2 * step / slope.expand_as(norm.mean))
