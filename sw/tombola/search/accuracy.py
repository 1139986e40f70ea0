"""Accuracy of a network under search, in floating point."""

import torch

from tombola.search.network import Network
from tombola.search.samples import Samples

BATCH = 500


@torch.no_grad()
def float_accuracy(network: Network, samples: Samples) -> float:
    """Part of the samples, 0 to 1, whose largest logit is the label's; batch norms at rest."""
    network.eval()
    right = 0
    for images, labels in zip(
        samples.images.split(BATCH), samples.labels.split(BATCH), strict=True
    ):
        right += int((network(images).argmax(1) == labels).sum())
    return right / len(samples)
