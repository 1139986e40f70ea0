"""Searches a ticket: which of the seed's weights stay, on CPU, by an algorithm of your choice.

Writes NAME.ticket, metrics.jsonl (one line an epoch), curve.png and checkpoint.pt to the output
folder. The same command gives the same ticket, whether it ran through or was stopped and resumed.
Accuracies run from 0 to 1 and are those on the test images, which choose nothing. The ticket is the
mask of the last epoch or, with --validation, of the epoch that does best on training images which
the seed sets aside for that.

Several processes search together when torchrun starts them: each takes its part of every batch, all
keep the same masks, and the first one writes. The batch is that of all of them.
"""

import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from tombola.cli import output, search_graph, search_options
from tombola.cli.pretrained import with_network
from tombola.spec.errors import ConfigError

SUMMARY = "search a ticket and write it with its learning curve"
EXAMPLES = """\
  tombola search --preset digits-cnn --out build/digits
  tombola search --preset fmnist-cnn --epochs 10 --seed 3 --out build/fmnist
  tombola search --preset fmnist-cnn --prune 0.35 --lock 0.35 --out build/frozen
  tombola search --preset fmnist-cnn --algorithm multicoat --coats 2 --out build/coats
  tombola search --preset fmnist-cnn --out build/fmnist --resume
  tombola search --preset cifar10-resnet8 --algorithm jackpot --sparsity 0.7 --out build/jackpot
  torchrun --nproc-per-node 2 -m tombola.cli.main search --preset fmnist-cnn --out build/two
  tombola search --algorithm gnn-multicoat --dataset cora --out build/cora"""

CHANGES = (
    "epochs", "batch", "validation", "seed", "prune", "lock", "sparsity", "threads",
    "learning_rate", "device", "precision",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb; what is not given comes from the preset."""
    parser.add_argument(
        "--preset", metavar="NAME",
        help="digits-cnn, mnist-mlp, fmnist-mlp, fmnist-cnn, fmnist-resnet-folded, cifar10-conv6, "
        "cifar10-resnet18 or cifar10-resnet34-folded",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for all files")
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument("--batch", type=int, metavar="N", help="images a step")
    parser.add_argument(
        "--validation", type=float, metavar="RATIO",
        help="of the training images, to choose the epoch by (default: 0, the last epoch)",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="64-bit number that everything is drawn from"
    )
    for name, text in (
        ("--sparsity", "part of the weights that is dropped, pruned ones counted in"),
        ("--prune", "part that the seed prunes before the search"),
        ("--lock", "part that the seed locks before the search"),
    ):
        parser.add_argument(name, type=float, metavar="RATIO", help=text)
    parser.add_argument(
        "--freeze", type=float, metavar="RATIO",
        help="prune and lock so many in all, as many of them pruned as the sparsity says",
    )
    parser.add_argument(
        "--width", type=float, metavar="FACTOR", help="multiplies the channels of all but the last"
    )
    parser.add_argument(
        "--allocation", choices=("uniform", "epl", "erk", "igq"),
        help="how prune and lock are spread over the layers",
    )
    parser.add_argument(
        "--weights", choices=("stream", "torch"),
        help="generator of the weights; torch is for comparison and gives no ticket",
    )
    parser.add_argument("--learning-rate", type=float, metavar="RATE", help="of the scores")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="of PyTorch; part of what decides the bytes"
    )
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), help="where to compute (default: cpu)"
    )
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), help="of convolutions (default: float32)"
    )
    parser.add_argument(
        "--pretrained", type=Path, metavar="FILE",
        help="trained weights to store: a Keras .h5, or a state dict of PyTorch",
    )
    for part in ("train", "test"):
        parser.add_argument(
            f"--{part}-samples", type=int, metavar="N", help=f"only the first {part} images"
        )
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="a folder for data sets")
    search_options.add_arguments(parser, graph_algorithms=search_graph.ALGORITHMS)
    search_graph.add_arguments(parser)
    output.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Searches, then prints what was found."""
    if args.algorithm in search_graph.ALGORITHMS:
        search_options.refuse_for_graphs(args)
        return search_graph.run(args)
    from tombola import data
    from tombola.cli.search_progress import SearchProgress
    from tombola.search.distributed import joined
    from tombola.search.samples import Samples
    from tombola.search.search import search

    chosen = preset_of(args)
    images = data.load(chosen.dataset, data_dir=args.data_dir)
    with ExitStack() as stack:
        ranks = stack.enter_context(joined(chosen.settings.device))
        progress = None
        if ranks.first:
            progress = SearchProgress(chosen.name, epochs=chosen.settings.epochs)
            stack.enter_context(progress)
        result = search(
            chosen,
            train=Samples.of(images.train_images, images.train_labels),
            test=Samples.of(images.test_images, images.test_labels),
            classes=images.class_names,
            out=args.out,
            resume=args.resume,
            observer=progress,
            ranks=ranks,
        )
    if not ranks.first:
        return 0
    document = {
        "ticket": result.ticket,
        "ticket_bytes": result.ticket_bytes,
        "float_accuracy": result.float_accuracy,
        "integer_accuracy": result.integer_accuracy,
        "epoch": result.epoch,
        "validation_accuracy": result.validation_accuracy,
        "samples": chosen.test_samples or len(images.test_labels),
        "preset": chosen.name,
        "dataset": chosen.dataset,
        "width": chosen.width,
        **chosen.settings.record(),
        "seconds": round(sum(metrics.seconds for metrics in result.history), 3),
        "metrics": args.out / "metrics.jsonl",
        "curve": args.out / "curve.png",
        "checkpoint": args.out / "checkpoint.pt",
    }
    output.emit(document, json_mode=args.json, table=lambda: _table(document))
    return 0


def preset_of(args: argparse.Namespace) -> Any:
    """The preset with all that the options change.

    Raises
    ------
    ConfigError
        If there can be no such search.
    """
    from tombola.search.algorithms import with_algorithm
    from tombola.search.allocation import Allocation
    from tombola.search.presets import PRESETS, preset
    from tombola.search.weight_source import WeightSource

    search_graph.refuse_for_images(args)
    if args.preset is None:
        graphs = ", ".join(search_graph.ALGORITHMS)
        raise ConfigError(
            f"--preset must name a network, {', '.join(PRESETS)}, unless --algorithm names one of "
            f"a graph, {graphs}"
        )
    if args.hyperparameters and not args.algorithm:
        raise ConfigError("--hyperparameters are those of an --algorithm; name one")
    chosen = preset(args.preset)
    settings = chosen.settings
    if args.algorithm:
        authors = args.hyperparameters == "authors"
        settings = with_algorithm(settings, args.algorithm, authors=authors)
    given = {name: getattr(args, name) for name in CHANGES}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if args.allocation:
        changes["allocation"] = Allocation(args.allocation)
    if args.weights:
        changes["weights"] = WeightSource(args.weights)
    changes |= search_options.changes(args)
    if args.freeze is not None:
        if args.prune is not None or args.lock is not None:
            raise ConfigError("--freeze sets prune and lock; leave --prune and --lock out")
        if not 0 <= args.freeze <= 1:
            raise ConfigError(f"freeze must be between 0 and 1, not {args.freeze:g}")
        sparsity = changes.get("sparsity", settings.sparsity)
        changes |= {"prune": args.freeze * sparsity, "lock": args.freeze * (1 - sparsity)}
    width = chosen.width if args.width is None else args.width
    chosen = replace(chosen, width=width, settings=replace(settings, **changes))
    counts = {name: getattr(args, name) for name in ("train_samples", "test_samples")}
    chosen = replace(chosen, **{name: count for name, count in counts.items() if count is not None})
    return with_network(chosen, file=args.pretrained, data_dir=args.data_dir)


def _table(document: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(show_header=False, box=None)
    if document["ticket"] is None:
        table.add_row("ticket", "none: weights of PyTorch cannot be regenerated from a seed")
    else:
        table.add_row("ticket", f"{document['ticket']} ({document['ticket_bytes']} bytes)")
        table.add_row("integer accuracy", f"{document['integer_accuracy']:.4f}")
    table.add_row("float accuracy", f"{document['float_accuracy']:.4f}")
    if document["validation_accuracy"] is not None:
        chosen = f"{document['epoch']} ({document['validation_accuracy']:.4f})"
        table.add_row("best epoch on the validation images", chosen)
    table.add_row("learning curve", str(document["curve"]))
    return table
