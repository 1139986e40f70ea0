"""Everything that decides a search besides the network and the data."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from tombola.search.allocation import Allocation
from tombola.search.bounds import check_rates, check_threads
from tombola.search.coats import check_ascending, uniform_coats
from tombola.search.combinations import check_combinations
from tombola.search.limiter import LIMITS
from tombola.search.norm import NORMS
from tombola.search.quantiser import unit_step
from tombola.search.rates import RATES
from tombola.search.schedule import SCHEDULES
from tombola.search.scores import RANKINGS, STARTS
from tombola.search.weight_scale import SCALES
from tombola.search.weight_source import WeightSource
from tombola.spec.errors import ConfigError
from tombola.spec.mask_code import MAX_COATS
from tombola.spec.start_state import MAX_SEED

CHOICES = {
    "scope": ("layer", "network", "group", "threshold"),
    "ranking": RANKINGS,
    "start": STARTS,
    "schedule": tuple(SCHEDULES),
    "rates": RATES,
    "scale": SCALES,
    "norm": NORMS,
    "activation": ("relu", "sign"),
    "limit": ("none", *LIMITS),
    "optimiser": ("sgd", "adam"),
    "device": ("cpu", "cuda"),
    "precision": ("float32", "bfloat16"),
}
"""What a setting may be, where it is one of several names."""

ALWAYS = (
    "seed", "epochs", "batch", "sparsity", "scope", "prune", "lock", "allocation", "weights",
    "learning_rate", "momentum", "weight_decay", "threads",
)  # fmt: skip
"""Settings that every record names; the others are named where they are not as usual."""


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """Settings of one search; the same settings and data give the same ticket.

    Parameters
    ----------
    algorithm : str
        Name of the combination that the settings below were taken from.
    seed : int
        64 bits: weights, freezing, first scores and batch order all come from it.
    epochs, batch : int
        0 epochs measure the mask that stored weights start from.
    validation : float
        Part of the training images, chosen by the seed, that the search does not see: the ticket
        is that of the epoch that does best on them. With 0 it is that of the last epoch.
    sparsity : float
        Part of the weights that is dropped, frozen ones counted in.
    scope : str
        One threshold for each "layer", or one for the whole "network"; "group" keeps a number of
        each `group` consecutive outputs; "threshold" keeps what is above 1/2, and `sparsity` is
        the part that is ruled out for good.
    group : int
        Consecutive outputs of one group.
    ranking : str
        Whether "abs" of a score or the "raw" score ranks.
    start : str
        Scores start "uniform" around 0; or as "unit" probabilities, between 0 and 1, where they
        are held; or from a mask, the "magnitude" one of stored weights or a "random" one.
    coats : int
        Nested masks, counted into values 0 .. coats.
    coat_sparsities : tuple of float
        Of the coats after the first; empty for even steps up from `sparsity`.
    schedule : str
        How sparsity grows: "constant", "ramp" over half the epochs, "geometric" every `period`.
    period : int
        Epochs.
    rates : str
        Whether layers drop the same part ("uniform"), or what one threshold on the "magnitude" of
        stored weights leaves; then the last layer drops none.
    limit : str
        How much of the wanted swaps a step may make: all ("none"), or a part that falls as
        "quartic" or "cosine".
    prune, lock : float
        Parts of the weights that the seed prunes and locks before the search.
    allocation : Allocation
        How prune and lock are spread over the layers.
    jointly : bool
        Whether prune and lock are spread together, or each by itself.
    weights : WeightSource
    scale : str
        Size of the drawn weights: "constant", "layer", "dynamic" or "alpha".
    stored_bits : int
        Of stored weights, sign included.
    norm : str
        What becomes of batch norms: "plain", without factors; "affine"; "folded", affine behind
        folded layers alone; "frozen" as they come; "refreshed", the factors alone as they
        come; "none".
    activation : str
        What becomes of a ReLU: a "relu" of `activation_bits`, or a "sign".
    activation_bits : int
    optimiser : str
        "sgd" or "adam", on the scores; the rate falls along a cosine to 0.
    learning_rate, momentum, weight_decay : float
        Momentum is that of "sgd".
    device : str
        "cpu" or "cuda".
    precision : str
        Of convolutions and linear layers while searching: "float32" or "bfloat16".
    threads : int
        Of PyTorch; the order of its sums depends on it. Two threads on two cores that are also
        busy with something else wait for each other: a step took 15 times as long as with one.
    """

    algorithm: str = "edge-popup"
    seed: int = 1
    epochs: int = 10
    batch: int = 128
    validation: float = 0.0
    sparsity: float = 0.5
    scope: str = "layer"
    group: int = 16
    ranking: str = "abs"
    start: str = "uniform"
    coats: int = 1
    coat_sparsities: tuple[float, ...] = ()
    schedule: str = "constant"
    period: int = 1
    rates: str = "uniform"
    limit: str = "none"
    prune: float = 0.0
    lock: float = 0.0
    allocation: Allocation = Allocation.UNIFORM
    jointly: bool = True
    weights: WeightSource = WeightSource.STREAM
    scale: str = "constant"
    stored_bits: int = 8
    norm: str = "plain"
    activation: str = "relu"
    activation_bits: int = 8
    optimiser: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    device: str = "cpu"
    precision: str = "float32"
    threads: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= MAX_SEED:
            raise ConfigError(f"seed must be between 0 and {MAX_SEED}, not {self.seed}")
        check_threads(self.threads)
        stored = self.weights is WeightSource.STORED
        for name in ("epochs", "batch", "period", "group"):
            least = 0 if name == "epochs" and stored else 1
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, not {getattr(self, name)}")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigError(f"{name} must be {_either(known)}, not {getattr(self, name)!r}")
        check_rates(self, above=("learning_rate",), least=("momentum", "weight_decay"))
        unit_step(self.activation_bits, signed=False)
        for name in ("sparsity", "prune", "lock", "validation"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be between 0 and 1, not {getattr(self, name):g}")
        self._check_coats()
        self._check_freezing()
        check_combinations(self)

    @property
    def sparsities(self) -> tuple[float, ...]:
        """Target of each coat, ascending; the first is `sparsity`."""
        if self.coat_sparsities:
            return (self.sparsity, *self.coat_sparsities)
        return uniform_coats(self.sparsity, self.coats)

    def _check_coats(self) -> None:
        if not 1 <= self.coats <= MAX_COATS:
            raise ConfigError(f"coats must be between 1 and {MAX_COATS}, not {self.coats}")
        if self.coat_sparsities and len(self.coat_sparsities) != self.coats - 1:
            raise ConfigError(
                f"coat_sparsities must name the {self.coats - 1} coats after the first, "
                f"not {len(self.coat_sparsities)}"
            )
        check_ascending(self.sparsities)

    def _check_freezing(self) -> None:
        if self.prune > self.sparsity:
            raise ConfigError(
                f"prune {self.prune:g} exceeds sparsity {self.sparsity:g}, which counts pruned "
                "weights; lower prune or raise sparsity"
            )
        most = self.sparsities[-1]
        if most > 1 - self.lock:
            what = "sparsity" if self.coats == 1 else f"coat {self.coats} with sparsity"
            raise ConfigError(
                f"lock {self.lock:g} leaves no room for {what} {most:g}; lower lock to "
                f"{1 - most:g} or lower sparsity"
            )

    def record(self) -> dict[str, Any]:
        """The settings as plain strings and numbers, without those that are as usual."""
        values: dict[str, Any] = asdict(self)
        usual = {field.name: field.default for field in fields(self)}
        kept = {
            name: value
            for name, value in values.items()
            if name in ALWAYS or value != usual[name]
        }
        kept |= {"allocation": self.allocation.value, "weights": self.weights.value}
        if kept.pop("jointly", True) is False:
            kept["spread"] = "independently"
        if self.coat_sparsities:
            kept["coat_sparsities"] = ",".join(f"{x:g}" for x in self.coat_sparsities)
        return kept


def _either(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
