"""What a ticket of a network will cost in bits, from the network and the settings alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tombola.model.account import entropy_bits
from tombola.search.allocation import Allocation, freeze_ratios
from tombola.search.selection import drop_count
from tombola.search.settings import SearchSettings
from tombola.search.survey import SurveyedLayer
from tombola.search.weight_source import WeightSource
from tombola.spec.arithmetic import BIAS_BITS, SCALE_BITS
from tombola.spec.errors import ConfigError
from tombola.spec.size import SEED_BITS
from tombola.spec.weight_stream import DRAWS, freeze_counts

FLOAT_BITS = 32
FACTORS = 2
"""Of an affine batch norm a channel; as many statistics run along with it."""


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """The settings of a search that decide its size.

    Parameters
    ----------
    sparsities : tuple of float
        Dropped part of the weights for each coat, frozen ones counted in; a later coat is sparser.
    prune, lock : float
    allocation : Allocation
    jointly : bool
        Whether prune and lock are spread together, or each by itself.
    norm : str
        What becomes of batch norms, as `tombola.search.settings.SearchSettings` has it.
    stored_bits : int
        Bits of sign and magnitude of a kept weight, where weights are stored; else 0.
    seed_bits : int

    Raises
    ------
    ConfigError
        If the sparsities do not rise, or leave no room for the frozen weights.
    """

    sparsities: tuple[float, ...] = (0.5,)
    prune: float = 0.0
    lock: float = 0.0
    allocation: Allocation = Allocation.UNIFORM
    jointly: bool = True
    norm: str = "plain"
    stored_bits: int = 0
    seed_bits: int = SEED_BITS

    @classmethod
    def of(cls, settings: SearchSettings) -> "Scheme":
        """What a search with these settings will cost."""
        stored = settings.weights is WeightSource.STORED
        return cls(
            sparsities=settings.sparsities,
            prune=settings.prune,
            lock=settings.lock,
            allocation=settings.allocation,
            jointly=settings.jointly,
            norm=settings.norm,
            stored_bits=settings.stored_bits if stored else 0,
        )

    def __post_init__(self) -> None:
        rising = list(self.sparsities)
        if not rising or rising != sorted(rising) or not 0 <= rising[0] <= rising[-1] <= 1:
            raise ConfigError(
                f"sparsities must rise from coat to coat between 0 and 1, not {self.sparsities}"
            )
        if self.prune > rising[0] or rising[-1] > 1 - self.lock:
            raise ConfigError(
                f"sparsities must lie between prune {self.prune:g} and 1 - lock "
                f"{1 - self.lock:g}, not {self.sparsities}"
            )


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Bits of one network; counts of frozen weights are those to be expected of a seed.

    Attributes
    ----------
    weights : int
        Unique ones, frozen ones included.
    layer_weights : int
        As the layers use them: those of a folded layer once for each use.
    coat_bits : tuple of int
        Bits of each coat of the mask; a further coat is coded where the coat before is 1.
    entropy_bits : float
        The fewest that any code could spend on the mask, were all layers as sparse as the network.
    seed_bits, stored_bits, affine_bits, statistics_bits, requantisation_bits : int
        Seed; stored weights; learned factors of batch norms; running means and variances; scales
        and biases of the ticket, which norms are folded into.
    norm_channels : int
        Channels of all batch norms.
    """

    weights: int
    layer_weights: int
    coat_bits: tuple[int, ...]
    entropy_bits: float
    seed_bits: int
    stored_bits: int
    affine_bits: int
    statistics_bits: int
    requantisation_bits: int
    norm_channels: int

    @property
    def mask_bits(self) -> int:
        """All coats, and stored weights."""
        return sum(self.coat_bits) + self.stored_bits

    @property
    def mask_bits_a_weight(self) -> float:
        """Of the unique weights."""
        return self.mask_bits / self.weights

    @property
    def seed_and_mask_bits(self) -> int:
        """The size without normalisation."""
        return self.seed_bits + self.mask_bits

    @property
    def searched_bits(self) -> int:
        """Seed, mask and learned factors: the size that papers on folded networks count."""
        return self.seed_and_mask_bits + self.affine_bits

    @property
    def model_bits(self) -> int:
        """Seed, mask and requantisation: all that a ticket holds of the network."""
        return self.seed_and_mask_bits + self.requantisation_bits

    @property
    def dense_norm_bits(self) -> int:
        """Factors of all batch norms of the network, trained and unfolded."""
        return FACTORS * FLOAT_BITS * self.norm_channels

    def dense_bits(self, weight_bits: int = FLOAT_BITS) -> int:
        """Weights of the network, trained and unfolded, at so many bits each."""
        return weight_bits * self.layer_weights

    def document(self) -> dict[str, Any]:
        """All of it as plain numbers and lists."""
        return {
            "weights": self.weights,
            "layer_weights": self.layer_weights,
            "coat_bits": list(self.coat_bits),
            "mask_bits": self.mask_bits,
            "mask_bits_a_weight": self.mask_bits_a_weight,
            "entropy_bits": round(self.entropy_bits, 1),
            "stored_bits": self.stored_bits,
            "affine_bits": self.affine_bits,
            "statistics_bits": self.statistics_bits,
            "requantisation_bits": self.requantisation_bits,
            "seed_and_mask_bytes": math.ceil(self.seed_and_mask_bits / 8),
            "searched_bytes": math.ceil(self.searched_bits / 8),
            "model_bytes": math.ceil(self.model_bits / 8),
            "dense_bytes": math.ceil(self.dense_bits() / 8),
            "dense_int8_bytes": math.ceil(self.dense_bits(8) / 8),
            "dense_binary_bytes": math.ceil(self.dense_bits(1) / 8),
            "dense_norm_bytes": math.ceil(self.dense_norm_bits / 8),
        }


def footprint(layers: Sequence[SurveyedLayer], scheme: Scheme) -> Footprint:
    """Counts a network's bits under a scheme.

    Drops are counted for the network as a whole; layer by layer, each layer of a further coat may
    round to a bit more.

    Parameters
    ----------
    layers : sequence of SurveyedLayer
        Of `tombola.search.survey.survey`.
    scheme : Scheme
    """
    weights = sum(layer.weights for layer in layers)
    pruned, locked = _frozen(layers, scheme)
    free = weights - pruned - locked
    # What the coats keep of the searchable weights; a locked weight has the full value.
    kept = [max(0, weights - drop_count(weights, s) - locked) for s in scheme.sparsities]
    coded = [free, *kept[:-1]]
    norm_channels = sum(layer.norm_channels for layer in layers)
    folded_channels = sum(layer.norm_channels for layer in layers if layer.uses > 1)
    affine = {
        **dict.fromkeys(("affine", "frozen", "refreshed"), norm_channels),
        "folded": folded_channels,
    }
    statistics = 0 if scheme.norm == "none" else norm_channels
    channels = sum(layer.uses * layer.size.out_channels for layer in layers)
    stored = scheme.stored_bits * kept[0]
    return Footprint(
        weights=weights,
        layer_weights=sum(layer.uses * layer.weights for layer in layers),
        coat_bits=tuple(coded),
        entropy_bits=stored + sum(map(entropy_bits, kept, coded)),
        seed_bits=scheme.seed_bits,
        stored_bits=stored,
        affine_bits=FLOAT_BITS * FACTORS * affine.get(scheme.norm, 0),
        statistics_bits=FLOAT_BITS * FACTORS * statistics,
        requantisation_bits=channels * (SCALE_BITS + BIAS_BITS),
        norm_channels=norm_channels,
    )


def _frozen(layers: Sequence[SurveyedLayer], scheme: Scheme) -> tuple[int, int]:
    """Weights that a seed prunes and locks, in expectation; ratios are counted in 1/256."""
    ratios = freeze_ratios(
        [layer.size for layer in layers],
        prune=scheme.prune,
        lock=scheme.lock,
        allocation=scheme.allocation,
        jointly=scheme.jointly,
    )
    counts = [freeze_counts(prune, lock) for prune, lock in ratios]
    pruned = sum(layer.weights * count[0] for layer, count in zip(layers, counts, strict=True))
    locked = sum(layer.weights * count[1] for layer, count in zip(layers, counts, strict=True))
    return round(pruned / DRAWS), round(locked / DRAWS)
