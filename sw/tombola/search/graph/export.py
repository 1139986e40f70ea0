"""From a searched graph network to its ticket: layers and sums over the edges in turn."""

from collections.abc import Sequence

import numpy as np
import torch

from tombola.search.graph.network import GraphNetwork
from tombola.search.graph.problem import GraphProblem
from tombola.search.graph.requantise import Factor
from tombola.spec import mask_code, rules, weight_stream
from tombola.spec.arithmetic import LOGITS, NumberType
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Aggregate, Conv, Input, Layer, Mask, Requantisation, Ticket

BYTE = NumberType(bits=8, signed=False)


def export(
    network: GraphNetwork, problem: GraphProblem, *, provenance: dict[str, str | int | float]
) -> Ticket:
    """The ticket of a searched network; its input is the whole graph, a node a position.

    Its requantisation is that of the search, so it computes the very integers of the network. The
    edges are an input of the run and no part of the ticket.

    Raises
    ------
    TicketError
        If the graph is larger than a ticket's tensors may be.
    """
    settings = network.settings
    with torch.no_grad():
        run = network()
    tables = [_table(x, y) for x, y in zip(run.factors, _channels(network), strict=True)]
    classes = len(problem.class_names)
    tables.append(
        Requantisation(
            scale=np.ones(classes, dtype=np.int16),
            bias=np.zeros(classes, dtype=np.int32),
            shift=0,
            output=LOGITS,
            clamp=None,
        )
    )
    layers: list[Layer] = []
    unique = network.unique_layers()
    for index, layer in enumerate(network.layers):
        mask = unique.index(layer)
        layers.append(Conv(input=2 * index, mask=mask, requantisation=2 * index))
        layers.append(Aggregate(input=2 * index + 1, requantisation=2 * index + 1))
    weight_sets = list(dict.fromkeys(layer.weight_set for layer in unique))
    coding = Coding(coats=settings.coats)
    masks = [
        Mask(
            weight_set=weight_sets.index(layer.weight_set),
            coding=coding,
            bits=mask_code.encode(
                layer.ternary(),
                weight_stream.freeze_classes(settings.seed, layer.weight_set),
                coding,
            ),
        )
        for layer in unique
    ]
    ticket = Ticket(
        seed=settings.seed,
        input=Input(
            shape=(problem.features, problem.nodes, 1),
            type=BYTE,
            table=np.arange(256, dtype=np.int16)[None],
        ),
        classes=problem.class_names,
        weight_sets=tuple(weight_sets),
        masks=tuple(masks),
        requantisations=tuple(tables),
        layers=tuple(layers),
        provenance=provenance,
    )
    rules.check(ticket)
    return ticket


def _channels(network: GraphNetwork) -> Sequence[int]:
    """Channels of every requantisation but the last: of a layer, and of its sums over the edges."""
    each = [layer.weight_set.out_channels for layer in network.layers for _ in range(2)]
    return each[:-1]


def _table(factor: Factor, channels: int) -> Requantisation:
    return Requantisation(
        scale=np.full(channels, factor.scale, dtype=np.int16),
        bias=np.zeros(channels, dtype=np.int32),
        shift=factor.shift,
        output=factor.type,
        clamp=(factor.low, factor.type.range[1]),
    )
