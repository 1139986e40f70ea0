"""Says what a ticket of a network would cost in bits, without searching it.

The network is a ready-made one or a preset's. What the algorithm decides is counted: mask bits,
coats where the one before is 1, weights that the seed freezes, learned factors of norms, and
requantisation.
Beside it stand the dense network at 32, 8 and 1 bit a weight, and the fewest bits that any code
could spend on the mask.
"""

import argparse
from typing import Any

from tombola.cli import output, search_options
from tombola.cli.pretrained import with_network
from tombola.spec.errors import ConfigError

SUMMARY = "say what a ticket of a network would cost, before any search"
EXAMPLES = """\
  tombola size conv6 --prune 0.35 --lock 0.35
  tombola size resnet50-folded --classes 100 --algorithm hidden-fold
  tombola size resnet18 --algorithm multicoat --sparsity 0.7 --coat-sparsities 0.9212,0.9685
  tombola size fmnist-cnn --shape 1x28x28 --json"""

FREEZING = ("sparsity", "prune", "lock")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb; those that no size depends on are taken and change nothing."""
    parser.add_argument("network", metavar="NETWORK", help="such as conv4 or resnet50, or a preset")
    parser.add_argument(
        "--shape", default="3x32x32", metavar="CxHxW", help="of an image (default: 3x32x32)"
    )
    parser.add_argument("--classes", type=int, default=10, metavar="N", help="(default: 10)")
    parser.add_argument(
        "--stem", choices=("cifar", "imagenet"), help="first layers of a residual network"
    )
    for name, text in (
        ("--sparsity", "part of the weights that is dropped, pruned ones counted in"),
        ("--prune", "part that the seed prunes"),
        ("--lock", "part that the seed locks"),
    ):
        parser.add_argument(name, type=float, metavar="RATIO", help=text)
    parser.add_argument("--coats", type=int, metavar="N", help="nested masks")
    parser.add_argument(
        "--allocation", choices=("uniform", "epl", "erk", "igq"),
        help="how prune and lock are spread over the layers",
    )
    search_options.add_arguments(parser, graph_algorithms=())
    output.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Counts, then prints."""
    import torch

    from tombola.search.footprint import Scheme, footprint
    from tombola.search.survey import survey

    settings, shape = _settings(args), _shape(args.shape)
    with torch.device("meta"):
        layers = survey(_model(args, shape, settings), shape=shape)
    counted = footprint(layers, Scheme.of(settings))
    document = {
        "network": args.network,
        "shape": shape,
        "classes": args.classes,
        **settings.record(),
        **counted.document(),
    }
    output.emit(document, json_mode=args.json, table=lambda: _table(document))
    return 0


def _shape(text: str) -> tuple[int, int, int]:
    try:
        channels, height, width = (int(part) for part in text.split("x"))
    except ValueError:
        raise ConfigError(f"shape must be CxHxW, such as 3x32x32, not {text!r}") from None
    return channels, height, width


def _model(args: argparse.Namespace, shape: tuple[int, int, int], settings: Any) -> Any:
    from dataclasses import replace

    from tombola.search.models import build
    from tombola.search.presets import PRESETS

    stem = {} if args.stem is None else {"stem": args.stem}
    if args.network in PRESETS and not stem:
        preset = PRESETS[args.network]
        if preset.pretrained:
            preset = with_network(replace(preset, settings=settings), file=None, data_dir=None)
        return preset.model(shape=shape, classes=args.classes)
    if stem and not args.network.startswith("resnet"):
        raise ConfigError(f"--stem is for residual networks, not {args.network}; leave it out")
    return build(args.network, shape=shape, classes=args.classes, **stem)


def _settings(args: argparse.Namespace) -> Any:
    from dataclasses import replace

    from tombola.search.algorithms import with_algorithm
    from tombola.search.allocation import Allocation
    from tombola.search.settings import SearchSettings

    settings = SearchSettings()
    if args.algorithm:
        settings = with_algorithm(settings, args.algorithm)
    changes = {name: getattr(args, name) for name in FREEZING}
    changes = {name: value for name, value in changes.items() if value is not None}
    if args.allocation:
        changes["allocation"] = Allocation(args.allocation)
    return replace(settings, **changes, **search_options.changes(args))


def _table(document: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(show_header=False, box=None)
    table.add_row("weights", f"{document['weights']}, run as {document['layer_weights']}")
    a_weight = document["mask_bits_a_weight"]
    table.add_row("mask", f"{document['mask_bits']} bits, {a_weight:.4f} a weight")
    if len(document["coat_bits"]) > 1:
        table.add_row("coats", f"{' + '.join(map(str, document['coat_bits']))} bits")
    table.add_row("entropy bound", f"{document['entropy_bits']:.0f} bits")
    for label, name in (
        ("seed and mask", "seed_and_mask_bytes"),
        ("with learned factors of norms", "searched_bytes"),
        ("model, with requantisation", "model_bytes"),
        ("dense, 32 bits a weight", "dense_bytes"),
        ("dense, 8 bits", "dense_int8_bytes"),
        ("dense, 1 bit", "dense_binary_bytes"),
        ("norms of the dense network", "dense_norm_bytes"),
    ):
        table.add_row(label, f"{document[name]} bytes")
    table.add_row("dense to model", f"{document['dense_bytes'] / document['model_bytes']:.1f}")
    return table
