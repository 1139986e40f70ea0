"""How much of a ticket's weights would have to be frozen for its masks to fit."""

from functools import lru_cache

import numpy as np

from tombola.spec.lfsr import WORD
from tombola.spec.ticket import Mask, Ticket
from tombola.spec.weight_stream import DRAWS, WeightSet, freeze_draws


@lru_cache(maxsize=1)  # a planner asks again for each engine
def mask_words(ticket: Ticket) -> np.ndarray:
    """Words of all masks if the seed froze n of 256 draw values in each layer: int64 (257,).

    The draws are those of the ticket's own seed. With coats a searchable weight is taken to own as
    many bits as it does now. Stored weights are never frozen.
    """
    total = np.zeros(DRAWS + 1, dtype=np.int64)
    for mask in ticket.masks:
        if mask.coding.stored is not None:
            total += -(-mask.bits.size // WORD)
            continue
        weight_set = ticket.weight_sets[mask.weight_set]
        searchable = _searchable(ticket.seed, weight_set)
        bits = searchable.astype(float)
        if mask.coding.coats != 1:
            bits *= _bits_a_weight(mask, int(searchable[weight_set.prune + weight_set.lock]))
        total += np.ceil(bits / WORD).astype(np.int64)
    return total


def _searchable(seed: int, weight_set: WeightSet) -> np.ndarray:
    """Weights whose draw is n or more, for n from 0 to 256: int64 (257,)."""
    draws = freeze_draws(seed, weight_set)[:, weight_set.layout.real()]
    below = np.cumsum(np.bincount(draws.ravel(), minlength=DRAWS))
    return draws.size - np.concatenate([[0], below])


def _bits_a_weight(mask: Mask, searchable: int) -> float:
    coats = mask.coding.coats
    assert coats is not None
    return mask.bits.size / searchable if searchable else float(coats)


def ratio_to_fit(ticket: Ticket, *, other_words: int, words: int) -> float | None:
    """Least part of the weights to freeze for the ticket to fit, in all layers alike.

    Parameters
    ----------
    ticket : Ticket
    other_words : int
        Of descriptors and channel starts.
    words : int
        That the ticket memory can have.

    Returns
    -------
    float or None
        A multiple of 1/256, rounded up to four places: a sample frozen to it fits, one frozen by
        1/256 less does not. None if even a ticket without masks would not fit.
    """
    fits = np.flatnonzero(mask_words(ticket) + other_words <= words)
    if not fits.size:
        return None
    return float(np.ceil(fits[0] / DRAWS * 10_000) / 10_000)
