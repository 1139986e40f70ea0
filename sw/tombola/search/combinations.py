"""Which settings of a search exclude each other."""

from typing import TYPE_CHECKING

from tombola.search.weight_source import WeightSource
from tombola.spec.errors import ConfigError
from tombola.spec.mask_code import STORED_BITS

if TYPE_CHECKING:
    from tombola.search.settings import SearchSettings


def check_combinations(settings: "SearchSettings") -> None:
    """Refuses settings that are each in their range, but have no meaning together.

    Raises
    ------
    ConfigError
        With what to choose instead.
    """
    frozen = settings.prune + settings.lock > 0
    stored = settings.weights is WeightSource.STORED
    for wrong, message in (
        (
            settings.scope == "group" and frozen,
            "groups keep a fixed number of weights, which frozen ones would upset; choose "
            "another scope, or no prune and lock",
        ),
        (
            settings.scope == "threshold" and settings.coats > 1,
            "a threshold at 1/2 makes one coat; choose another scope, or 1 coat",
        ),
        (
            settings.scope == "threshold" and settings.start != "unit",
            "a threshold at 1/2 needs scores that are probabilities; choose algorithm "
            "gem-miner, or another scope",
        ),
        (
            settings.limit != "none"
            and (settings.coats > 1 or settings.scope in ("group", "threshold")),
            "a limit on swaps needs 1 coat, and layer or network as scope",
        ),
        (
            settings.scale == "alpha" and settings.coats > 1,
            "alpha is the size of one coat; choose another scale, or 1 coat",
        ),
        (stored and frozen, "stored weights cannot be frozen; choose no prune and lock"),
        (
            stored and (settings.scale != "constant" or settings.coats > 1),
            "stored weights have their own size; choose scale constant and 1 coat",
        ),
        (
            settings.start == "magnitude" and not stored,
            "drawn weights are all of one magnitude; start uniform, or store weights",
        ),
        (
            settings.rates == "magnitude" and not stored,
            "drawn weights are all of one magnitude; choose uniform rates, or store weights",
        ),
        (
            settings.rates == "magnitude"
            and (settings.scope, settings.schedule) != ("layer", "constant"),
            "rates by magnitude need scope layer and a constant schedule; choose these, or "
            "uniform rates",
        ),
        (
            stored and settings.stored_bits not in STORED_BITS,
            f"stored_bits must be {min(STORED_BITS)} to {max(STORED_BITS)}, "
            f"not {settings.stored_bits}",
        ),
    ):
        if wrong:
            raise ConfigError(message)
