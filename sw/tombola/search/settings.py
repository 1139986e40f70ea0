"""Everything that decides a search besides the network and the data."""

from dataclasses import asdict, dataclass
from typing import Any

from tombola.search.allocation import Allocation
from tombola.search.weight_source import WeightSource
from tombola.spec.errors import ConfigError
from tombola.spec.start_state import MAX_SEED

SCOPES = ("layer", "network")


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """Settings of one search; the same settings and data give the same ticket.

    Parameters
    ----------
    seed : int
        64 bits: weights, freezing, first scores and batch order all come from it.
    epochs, batch : int
    sparsity : float
        Part of the weights that is dropped, frozen ones counted in.
    scope : str
        One threshold for each "layer", or one for the whole "network".
    prune, lock : float
        Parts of the weights that the seed prunes and locks before the search.
    allocation : Allocation
        How prune and lock are spread over the layers.
    weights : WeightSource
    learning_rate, momentum, weight_decay : float
        Stochastic gradient descent on the scores; the rate falls along a cosine to 0.
    threads : int
        Of PyTorch; the order of its sums depends on it. Two threads on two cores that are also
        busy with something else wait for each other: a step took 15 times as long as with one.
    """

    seed: int = 1
    epochs: int = 10
    batch: int = 128
    sparsity: float = 0.5
    scope: str = "layer"
    prune: float = 0.0
    lock: float = 0.0
    allocation: Allocation = Allocation.UNIFORM
    weights: WeightSource = WeightSource.STREAM
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    threads: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= MAX_SEED:
            raise ConfigError(f"seed must be between 0 and {MAX_SEED}, not {self.seed}")
        for name in ("epochs", "batch", "threads"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.scope not in SCOPES:
            raise ConfigError(f"scope must be {' or '.join(SCOPES)}, not {self.scope!r}")
        if self.learning_rate <= 0:
            raise ConfigError(f"learning_rate must be above 0, not {self.learning_rate:g}")
        for name in ("sparsity", "prune", "lock"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be between 0 and 1, not {getattr(self, name):g}")
        if self.prune > self.sparsity:
            raise ConfigError(
                f"prune {self.prune:g} exceeds sparsity {self.sparsity:g}, which counts pruned "
                "weights; lower prune or raise sparsity"
            )
        if self.sparsity > 1 - self.lock:
            raise ConfigError(
                f"lock {self.lock:g} leaves no room for sparsity {self.sparsity:g}; lower lock to "
                f"{1 - self.sparsity:g} or lower sparsity"
            )

    def record(self) -> dict[str, Any]:
        """The settings as plain strings and numbers."""
        values = asdict(self)
        return {**values, "allocation": self.allocation.value, "weights": self.weights.value}
