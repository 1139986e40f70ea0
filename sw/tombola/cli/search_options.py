"""The options of tombola search that name its parts, and the settings they change."""

import argparse
from collections.abc import Sequence
from typing import Any

from tombola.spec.errors import ConfigError

ALGORITHMS = (
    "edge-popup", "global-edge-popup", "frozen", "hidden-fold", "multicoat", "biprop", "gem-miner",
    "jackpot", "nm",
)  # fmt: skip
CHOICES = {
    "scope": (
        ("layer", "network", "group", "threshold"),
        "one threshold a layer, one for all, so many of each group of outputs, or 1/2",
    ),
    "ranking": (("abs", "raw"), "whether abs(score) or the score ranks"),
    "start": (
        ("uniform", "unit", "magnitude", "random"),
        "of the scores: around 0, between 0 and 1, or from a mask",
    ),
    "rates": (
        ("uniform", "magnitude"),
        "layers drop the same part, or what one threshold on stored weights leaves",
    ),
    "schedule": (("constant", "ramp", "geometric"), "how the sparsity grows"),
    "limit": (("none", "quartic", "cosine"), "how the part of wanted swaps that is made falls"),
    "scale": (("constant", "layer", "dynamic", "alpha"), "size of the weights"),
    "norm": (
        ("plain", "affine", "folded", "frozen", "refreshed", "none"),
        "what becomes of batch norms; folded: affine behind folded layers alone",
    ),
    "activation": (("relu", "sign"), "what becomes of ReLUs"),
    "optimiser": (("sgd", "adam"), "of the scores"),
}
NUMBERS = {
    "activation_bits": (int, "N", "of a ReLU, 1 to 8"),
    "group": (int, "M", "consecutive outputs of a group"),
    "stored_bits": (int, "N", "of a stored weight, 2 to 8"),
    "period": (int, "N", "epochs between the steps of a geometric schedule"),
    "weight_decay": (float, "RATE", "of the scores"),
}
ONLY_IMAGES = (
    "preset", "validation", "pretrained", "train_samples", "test_samples", "coat_sparsities",
    "spread", *CHOICES, *NUMBERS,
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser, *, graph_algorithms: Sequence[str]) -> None:
    """The algorithm, and options that change it part by part."""
    parser.add_argument(
        "--algorithm", choices=(*ALGORITHMS, *graph_algorithms),
        help="a combination of parts; those of gnn are for a graph, and have no preset",
    )
    parser.add_argument(
        "--hyperparameters", choices=("small", "authors"),
        help="of the algorithm: some minutes on a CPU, unless you say authors",
    )
    group = parser.add_argument_group("parts", "in place of the algorithm's")
    for name, (choices, text) in CHOICES.items():
        group.add_argument(_flag(name), choices=choices, help=text)
    for name, (kind, metavar, text) in NUMBERS.items():
        group.add_argument(_flag(name), type=kind, metavar=metavar, help=text)
    group.add_argument(
        "--coat-sparsities", metavar="LIST",
        help="of the coats after the first, such as 0.8,0.9; even steps unless you say",
    )
    group.add_argument(
        "--spread", choices=("jointly", "independently"),
        help="prune and lock over the layers together, or each by itself",
    )


def changes(args: argparse.Namespace) -> dict[str, Any]:
    """Settings that the options change."""
    named = {name: getattr(args, name) for name in (*CHOICES, *NUMBERS)}
    found = {name: value for name, value in named.items() if value is not None}
    if args.spread:
        found["jointly"] = args.spread == "jointly"
    if args.coats is not None:
        found |= {"coats": args.coats, "coat_sparsities": ()}
    if args.coat_sparsities is not None:
        sparsities = _ratios(args.coat_sparsities)
        found["coat_sparsities"] = sparsities
        found.setdefault("coats", len(sparsities) + 1)
    return found


def refuse_for_graphs(args: argparse.Namespace) -> None:
    """A graph network has none of these.

    Raises
    ------
    ConfigError
        With the first of them that was given.
    """
    for name in ONLY_IMAGES:
        if getattr(args, name) is not None:
            raise ConfigError(f"{_flag(name)} is not for graph networks; leave it out")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _ratios(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(
            f"--coat-sparsities must be numbers with commas between them, not {text!r}"
        ) from None
