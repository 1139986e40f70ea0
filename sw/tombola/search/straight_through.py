"""Fixed weights times a mask, with gradients for the scores that the mask was taken from."""

import torch
from torch import Tensor


class _Masked(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores: Tensor, weights: Tensor, mask: Tensor, slope: Tensor, absolute: bool):
        ctx.save_for_backward(scores if absolute else None, slope)
        return weights * mask

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        scores, slope = ctx.saved_tensors
        result = gradient * slope
        if scores is not None:
            result = result * scores.sign()
        return result, None, None, None, None


def masked_weights(
    scores: Tensor,
    weights: Tensor,
    mask: Tensor,
    *,
    slope: Tensor | None = None,
    absolute: bool = True,
) -> Tensor:
    """``weights * mask``, straight through to the scores, for kept and dropped weights alike.

    The step from score to mask is taken as the identity, so the gradient is

        ``dL/ds = slope * dL/d(w * m)``, times ``sign(s)`` where the mask ranks abs(s).

    With the weights as slope this is Edge-Popup (Ramanujan et al., "What's hidden in a randomly
    weighted neural network?", 2020). A mask of N coats is N such steps on one score, so its slope
    is N times the weights (Okoshi et al., "Multicoated supermasks", 2022). Biprop computes with
    signs times one alpha, and its slope is the random weights behind them (Diffenderfer and
    Kailkhura, "Multi-prize lottery ticket hypothesis", 2021).

    Parameters
    ----------
    scores, weights, mask : float tensors of one shape
        The mask holds whole numbers, 0 where a weight is dropped.
    slope : float tensor of that shape, or None
        None for the weights themselves.
    absolute : bool
        Whether the mask ranks abs(score), or the score as it is.
    """
    return _Masked.apply(scores, weights, mask, weights if slope is None else slope, absolute)
