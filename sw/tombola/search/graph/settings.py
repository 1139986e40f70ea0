"""Everything that decides the search of a graph network, and the algorithms by name."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from tombola.search.bounds import check_rates, check_threads
from tombola.search.coats import uniform_coats
from tombola.search.graph.edges import MODELS
from tombola.search.scores import RANKINGS
from tombola.spec.errors import ConfigError
from tombola.spec.mask_code import MAX_COATS
from tombola.spec.start_state import MAX_SEED

GROUP = 16
"""Consecutive outputs of which an N:M mask keeps the same number."""
FOLD_MASKS = ("own", "shared")


@dataclass(frozen=True, kw_only=True)
class GraphSettings:
    """Settings of one search over one graph; the same settings and data give the same ticket.

    Parameters
    ----------
    seed : int
        64 bits: weights and first scores come from it.
    model : str
        "gcn" or "gin".
    layers, hidden : int
        Layers, and channels between them.
    ranking : str
        "abs" ranks abs(score), "raw" the score.
    coats : int
        Nested masks that are added; weights take the values 0 to so many.
    sparsity : float
        Part of the weights that the first coat drops; each further coat drops the same number more.
    keep_of_16 : int
        N:M: the first coat keeps so many of each 16 consecutive outputs instead, and the further
        ones thin each layer by itself; 0 for one threshold a coat over the whole network.
    stages : int
        Weight sets of the layers between the first and the last; 0 for one each. Fewer fold them:
        the layers of a stage share their weights.
    fold_masks : str
        "own" masks for the layers of a stage, or one "shared" mask.
    epochs : int
        Each is one step on the whole graph. The sparsity grows over the first half.
    learning_rate : float
        Of Adam on the scores; it falls along a cosine to 0.
    dropout : float
        Chance of each feature and activation to be left out of a step.
    threads : int
        Of PyTorch; the order of its sums depends on it.
    """

    seed: int = 1
    model: str = "gcn"
    layers: int = 3
    hidden: int = 192
    ranking: str = "abs"
    coats: int = 3
    sparsity: float = 0.5
    keep_of_16: int = 0
    stages: int = 0
    fold_masks: str = "own"
    epochs: int = 40
    learning_rate: float = 0.001
    dropout: float = 0.0
    threads: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= MAX_SEED:
            raise ConfigError(f"seed must be between 0 and {MAX_SEED}, not {self.seed}")
        for name, low in {"layers": 2, "hidden": 1, "epochs": 1}.items():
            if getattr(self, name) < low:
                raise ConfigError(f"{name} must be at least {low}, not {getattr(self, name)}")
        check_threads(self.threads)
        if not 1 <= self.coats <= MAX_COATS:
            raise ConfigError(f"coats must be between 1 and {MAX_COATS}, not {self.coats}")
        choices = {"model": MODELS, "ranking": RANKINGS, "fold_masks": FOLD_MASKS}
        for name, known in choices.items():
            value = getattr(self, name)
            if value not in known:
                raise ConfigError(f"{name} must be {' or '.join(known)}, not {value!r}")
        if not 0 <= self.sparsity < 1:
            raise ConfigError(f"sparsity must be at least 0 and below 1, not {self.sparsity:g}")
        if not 0 <= self.keep_of_16 <= GROUP:
            raise ConfigError(f"keep_of_16 must be between 0 and {GROUP}, not {self.keep_of_16}")
        if not 0 <= self.stages <= self.layers - 2:
            raise ConfigError(
                f"stages must be between 0 and {self.layers - 2}, the layers between the first and "
                f"the last, not {self.stages}"
            )
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout must be at least 0 and below 1, not {self.dropout:g}")
        check_rates(self, above=("learning_rate",))

    @property
    def sparsities(self) -> tuple[float, ...]:
        """Of each coat in the end."""
        first = 1 - self.keep_of_16 / GROUP if self.keep_of_16 else self.sparsity
        return uniform_coats(first, self.coats)

    def weight_sets(self) -> list[int]:
        """Weight set of each layer."""
        inner = self.layers - 2
        stages = self.stages or inner
        return [0, *(1 + index * stages // inner for index in range(inner)), 1 + stages]

    def record(self) -> dict[str, Any]:
        """The settings as plain strings and numbers."""
        return asdict(self)


ALGORITHMS = {
    "gnn-multicoat": GraphSettings(),
    "gnn-ugt": GraphSettings(ranking="raw", coats=1),
    "gnn-nm": GraphSettings(keep_of_16=8),
}
"""Multicoated (Yan et al., 2023), UGT (Huang et al., 2022), N:M (Yan et al., 2025)."""
HYPERPARAMETERS: dict[str, dict[str, Any]] = {
    "small": {},
    "authors": {"epochs": 400, "learning_rate": 0.01},
}
"""The authors' take ten times as long; docs/results.md compares them."""


def algorithm(name: str, *, hyperparameters: str = "small", **changes: Any) -> GraphSettings:
    """The settings of an algorithm, with changes.

    Parameters
    ----------
    name : str
        A name among `ALGORITHMS`.
    hyperparameters : str
        A name among `HYPERPARAMETERS`.
    changes
        Settings by name, before which the hyperparameters give way.

    Raises
    ------
    ConfigError
        With the names there are, or as `GraphSettings` raises.
    """
    if name not in ALGORITHMS:
        raise ConfigError(f"algorithm {name!r} is unknown; known: {', '.join(ALGORITHMS)}")
    return replace(ALGORITHMS[name], **(HYPERPARAMETERS[hyperparameters] | changes))
