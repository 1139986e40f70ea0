"""A ticket of what images rarely need: groups, folded layers, additions, a layer nobody reads."""

from dataclasses import replace

import numpy as np

from tombola.spec.arithmetic import NumberType
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Conv, Requantisation, Rescale, Residual, Ticket, Window

from .tickets import TicketBuilder

FOUR_BITS = NumberType(bits=4, signed=True)
SAME = Window(padding=(1, 1, 1, 1))


def _builder() -> TicketBuilder:
    return (
        TicketBuilder((4, 5, 6), seed=11)
        .conv(6, (3, 3), window=SAME, coding=Coding(coats=5), freeze=(60, 30), in_channels=2)
        .conv(6, (3, 3), window=SAME, coding=Coding(stored=8), in_channels=1, output=FOUR_BITS)
        .conv(6, (3, 3), window=SAME, coding=Coding(coats=2), in_channels=6)
        .conv(5, (5, 6), coding=Coding(stored=2), in_channels=6, logits=True)
    )


def rich_ticket() -> Ticket:
    """Grouped, then depthwise, then one 3x3 layer twice, the second time added to its input."""
    ticket = _builder().build(checked=False)
    grouped, depthwise, plain, linear = ticket.layers
    assert all(isinstance(layer, Conv) for layer in ticket.layers)
    again = Requantisation(
        scale=np.array([90, -31, 7, 200, -2, 55], dtype=np.int16),
        bias=np.array([3, 2, -1000, 40, 0, 77], dtype=np.int32),
        shift=9,
        output=FOUR_BITS,
        clamp=(-7, 6),
    )
    return replace(
        ticket,
        requantisations=(*ticket.requantisations, again),
        layers=(
            replace(grouped, groups=2),
            replace(depthwise, groups=6),
            plain,
            replace(plain, input=3, requantisation=4, residual=Residual(tensor=3, scale=-300)),
            Rescale(input=4, requantisation=4, residual=Residual(tensor=1, scale=17)),
            Rescale(input=1, requantisation=4),
            replace(linear, input=5),
        ),
    )


def rich_image() -> np.ndarray:
    """Uint8 (1, 4, 5, 6)."""
    return _builder().images(1)
