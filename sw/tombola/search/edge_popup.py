"""The function under every search: fixed weights times a mask, with gradients for the scores."""

import torch
from torch import Tensor


class _MaskedWeights(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
        ctx.save_for_backward(scores, weights)
        return weights * mask

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        scores, weights = ctx.saved_tensors
        return gradient * weights * scores.sign(), None, None


def masked_weights(scores: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
    """``weights * mask``, straight through to the scores, for kept and dropped weights alike.

    The gradient is ``dL/ds = sign(s) * w * dL/d(w * m)``: the mask ranks abs(s), and its step is
    taken as the identity (Edge-Popup, Ramanujan et al., "What's hidden in a randomly weighted
    neural network?", 2020).

    Parameters
    ----------
    scores, weights, mask : float tensors of one shape
    """
    return _MaskedWeights.apply(scores, weights, mask)
