"""What a network under search gets right, in floating point."""

import torch

from tombola.search.network import Network
from tombola.search.samples import Samples

BATCH = 500


@torch.no_grad()
def right_answers(network: Network, samples: Samples) -> int:
    """Samples whose largest logit is the label's; batch norms at rest."""
    network.eval()
    right = 0
    for images, labels in zip(
        samples.images.split(BATCH), samples.labels.split(BATCH), strict=True
    ):
        right += int((network(images).argmax(1) == labels).sum())
    return right
