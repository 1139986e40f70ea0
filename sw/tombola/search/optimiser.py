"""What moves the scores, and the factors of affine norms beside them."""

import torch
from torch.optim import Optimizer

from tombola.search.network import Network
from tombola.search.settings import SearchSettings


def optimiser(network: Network, settings: SearchSettings) -> Optimizer:
    """The optimiser that the settings name, on all that a network learns.

    Weight decay is for scores alone: it would pull the factors of a norm, and so its activations,
    to nothing.
    """
    scores = [conv.scores for conv in network.convs]
    groups = [{"params": scores, "weight_decay": settings.weight_decay}]
    known = {id(parameter) for parameter in scores}
    factors = [x for x in network.parameters() if id(x) not in known]
    if factors:
        groups.append({"params": factors, "weight_decay": 0.0})
    if settings.optimiser == "adam":
        return torch.optim.Adam(groups, lr=settings.learning_rate)
    return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum)
