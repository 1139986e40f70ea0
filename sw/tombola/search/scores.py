"""What a score is: how it starts, how it ranks, and the range it is held in."""

import math

import torch
from torch import Tensor

from tombola.search.randomness import generator

RANKINGS = ("abs", "raw")
STARTS = ("uniform", "unit", "magnitude", "random")
KEPT_START, DROPPED_START = 1.0, 0.99
"""Scores of a search that starts from a mask (Zhang et al., 2021)."""


def keys(scores: Tensor, ranking: str) -> Tensor:
    """What a selection ranks: abs(score), or the score itself."""
    return scores.abs() if ranking == "abs" else scores


def uniform_start(shape: tuple[int, ...], *, seed: int, index: int, fan_in: int) -> Tensor:
    """Scores within ``+-1 / sqrt(fan_in)``, as PyTorch starts the weights of a layer.

    Parameters
    ----------
    shape : tuple of int
    seed, index : int
        Seed of the search, and weight set; neither shares draws with another.
    fan_in : int
    """
    bound = 1 / math.sqrt(fan_in)
    return torch.empty(shape).uniform_(-bound, bound, generator=generator(seed, "scores", index))


def unit_start(shape: tuple[int, ...], *, seed: int, index: int) -> Tensor:
    """Probabilities, uniform between 0 and 1."""
    return torch.empty(shape).uniform_(0, 1, generator=generator(seed, "scores", index))


def mask_start(kept: Tensor) -> Tensor:
    """1 where a mask keeps and 0.99 where it drops, so that the search starts from it.

    Parameters
    ----------
    kept : bool tensor
    """
    return torch.where(kept, KEPT_START, DROPPED_START)


def random_keys(shape: tuple[int, ...], *, seed: int, index: int) -> Tensor:
    """What a random mask is chosen by."""
    return torch.empty(shape).uniform_(generator=generator(seed, "mask", index))
