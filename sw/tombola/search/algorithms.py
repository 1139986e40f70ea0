"""The published algorithms, each as a combination of parts and its authors' hyperparameters."""

from dataclasses import dataclass, field, replace
from typing import Any

from tombola.search.allocation import Allocation
from tombola.search.settings import SearchSettings
from tombola.search.weight_source import WeightSource
from tombola.spec.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """A combination of parts.

    Parameters
    ----------
    name, summary, source : str
    parts : dict
        Settings that make the algorithm what it is.
    authors : dict
        Settings of the published experiments.
    small : dict
        Settings in their place for some minutes on a CPU; epochs, batch and rate that are not
        named here are the preset's.
    """

    name: str
    summary: str
    source: str
    parts: dict[str, Any] = field(default_factory=dict)
    authors: dict[str, Any] = field(default_factory=dict)
    small: dict[str, Any] = field(default_factory=dict)


def _sgd(**changes: Any) -> dict[str, Any]:
    usual = {"optimiser": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-4}
    return {**usual, "epochs": 100, "batch": 128, **changes}


ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm(
            name="edge-popup",
            summary="in each layer the largest scores stay",
            source="Ramanujan et al., What's hidden in a randomly weighted neural network?, 2020",
            parts={"scope": "layer", "sparsity": 0.5},
            authors=_sgd(),
        ),
        Algorithm(
            name="global-edge-popup",
            summary="one threshold for the whole network",
            source="Ramanujan et al., 2020, with the ranking of Sreenivasan et al., 2022",
            parts={"scope": "network", "sparsity": 0.5},
            authors=_sgd(),
        ),
        Algorithm(
            name="frozen",
            summary="the seed prunes and locks most weights before the search",
            source="Otsuka et al., Partially frozen random networks contain compact strong lottery "
            "tickets, 2024",
            parts={
                "scope": "network",
                "sparsity": 0.5,
                "prune": 0.35,
                "lock": 0.35,
                "allocation": Allocation.EPL,
            },
            authors=_sgd(validation=0.2),
        ),
        Algorithm(
            name="hidden-fold",
            summary="blocks that run again share weights and mask; each run has its own norms",
            source="Lopez Garcia-Arias et al., Hidden-fold networks, 2021",
            parts={"scope": "layer", "sparsity": 0.7, "scale": "layer", "norm": "folded"},
            authors=_sgd(epochs=200, weight_decay=5e-4),
        ),
        Algorithm(
            name="multicoat",
            summary="three nested masks, counted into weights of 0 to 3",
            source="Okoshi et al., Multicoated supermasks enhance hidden networks, 2022",
            parts={
                "scope": "layer",
                "sparsity": 0.7,
                "coats": 3,
                "coat_sparsities": (0.9212, 0.9685),
                "scale": "layer",
                "norm": "affine",
            },
            authors=_sgd(),
        ),
        Algorithm(
            name="biprop",
            summary="signs times one alpha a layer, the mean size of the random weights kept",
            source="Diffenderfer and Kailkhura, Multi-prize lottery ticket hypothesis, 2021",
            parts={"scope": "layer", "sparsity": 0.7, "scale": "alpha", "norm": "affine"},
            authors=_sgd(batch=256, weight_decay=5e-4),
            small={"sparsity": 0.5},
        ),
        Algorithm(
            name="gem-miner",
            summary="probabilities above 1/2 stay; every few epochs the lowest go for good",
            source="Sreenivasan et al., Rare gems: finding lottery tickets at initialization, 2022",
            parts={
                "scope": "threshold",
                "ranking": "raw",
                "start": "unit",
                "schedule": "geometric",
                "sparsity": 0.95,
                "period": 8,
            },
            # Its penalty of 1e-4 on the squares is twice that as weight decay.
            authors=_sgd(epochs=150, weight_decay=2e-4),
            small={"sparsity": 0.5, "period": 1, "weight_decay": 2e-4},
        ),
        Algorithm(
            name="jackpot",
            summary="a mask for the stored weights of a trained network, from the magnitude mask",
            source="Zhang et al., Lottery jackpots exist in pre-trained models, 2021",
            parts={
                "scope": "layer",
                "sparsity": 0.5,
                "ranking": "raw",
                "start": "magnitude",
                "rates": "magnitude",
                "limit": "quartic",
                "weights": WeightSource.STORED,
                "norm": "refreshed",
            },
            authors=_sgd(epochs=30, batch=256, weight_decay=5e-4),
            # So few weights bear no rate of 0.1: a step of it swaps thousands at once.
            small=_sgd(epochs=5, batch=32, weight_decay=5e-4, learning_rate=3e-3),
        ),
        Algorithm(
            name="nm",
            summary="of 16 consecutive outputs 8 stay, valued 1 to 3 by thirds",
            source="Yan et al., N:M structured tickets of graph networks, 2025",
            parts={
                "scope": "group",
                "group": 16,
                "sparsity": 0.5,
                "coats": 3,
                "schedule": "ramp",
            },
            authors={
                "optimiser": "adam", "learning_rate": 0.01, "weight_decay": 0.0, "epochs": 400,
            },
            small={"optimiser": "adam", "learning_rate": 0.01, "weight_decay": 0.0},
        ),
    )
}  # fmt: skip


def with_algorithm(
    settings: SearchSettings, name: str, *, authors: bool = False
) -> SearchSettings:
    """The settings with an algorithm's parts, and its authors' hyperparameters or small ones.

    Raises
    ------
    ConfigError
        With the names there are.
    """
    if name not in ALGORITHMS:
        raise ConfigError(f"algorithm {name!r} is unknown; known: {', '.join(ALGORITHMS)}")
    chosen = ALGORITHMS[name]
    hyperparameters = chosen.authors if authors else chosen.small
    return replace(settings, **{"algorithm": name, **chosen.parts, **hyperparameters})
