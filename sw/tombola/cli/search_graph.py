"""The part of tombola search that takes a graph instead of images."""

import argparse
from typing import Any

from tombola.cli import output
from tombola.cli.graph_problem import load_problem
from tombola.spec.errors import ConfigError

ALGORITHMS = ("gnn-multicoat", "gnn-ugt", "gnn-nm")
CHANGES = (
    "seed", "epochs", "sparsity", "learning_rate", "dropout", "threads", "model", "layers",
    "hidden", "coats", "keep_of_16", "stages", "fold_masks",
)
# What a graph network has not, although the verb takes it, and what it alone has.
FOREIGN = (
    "batch", "width", "prune", "lock", "freeze", "allocation", "weights", "device", "precision",
)
OWN = ("dataset", "model", "layers", "hidden", "keep_of_16", "dropout", "stages", "fold_masks")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that only graph networks have."""
    group = parser.add_argument_group(
        "graph networks", "with --algorithm; seed, epochs, sparsity, learning rate and threads too"
    )
    group.add_argument("--dataset", metavar="NAME", help="cora (unless you say) or citeseer")
    group.add_argument("--model", choices=("gcn", "gin"), help="how a node takes in its neighbours")
    group.add_argument("--layers", type=int, metavar="N")
    group.add_argument("--hidden", type=int, metavar="N", help="channels between layers")
    group.add_argument("--coats", type=int, metavar="N", help="nested masks that are added")
    group.add_argument(
        "--keep-of-16", type=int, metavar="N",
        help="weights kept of each 16 consecutive outputs, instead of a sparsity",
    )
    group.add_argument(
        "--dropout", type=float, metavar="RATIO", help="of features and activations in each step"
    )
    group.add_argument(
        "--stages", type=int, metavar="N",
        help="fold the layers between the first and the last onto so many weight sets",
    )
    group.add_argument(
        "--fold-masks", choices=("own", "shared"), help="of the layers that share a weight set"
    )


def refuse_for_images(args: argparse.Namespace) -> None:
    """A network for images has none of these.

    Raises
    ------
    ConfigError
        With the first of them that was given.
    """
    for name in OWN:
        if getattr(args, name) is not None:
            flag = "--" + name.replace("_", "-")
            raise ConfigError(
                f"{flag} is for graph networks alone; leave it out, or name an --algorithm of "
                f"them, {', '.join(ALGORITHMS)}"
            )


def run(args: argparse.Namespace) -> int:
    """Searches a graph network, then prints what was found."""
    from tombola.cli.search_progress import SearchProgress
    from tombola.search.graph.search import search_graph
    from tombola.search.graph.settings import algorithm

    for name in FOREIGN:
        if getattr(args, name) is not None:
            raise ConfigError(f"--{name} is not for graph networks; leave it out")
    given = {name: getattr(args, name) for name in CHANGES}
    settings = algorithm(
        args.algorithm,
        hyperparameters=args.hyperparameters or "small",
        **{name: value for name, value in given.items() if value is not None},
    )
    dataset = "cora" if args.dataset is None else args.dataset.lower()
    problem = load_problem(dataset, data_dir=args.data_dir)
    with SearchProgress(args.algorithm, epochs=settings.epochs) as progress:
        result = search_graph(
            settings,
            problem,
            name=args.algorithm,
            dataset=dataset,
            out=args.out,
            resume=args.resume,
            observer=progress,
        )
    document = {
        "ticket": result.ticket,
        "epoch": result.epoch,
        "validation_accuracy": result.validation_accuracy,
        "float_accuracy": result.float_accuracy,
        "integer_accuracy": result.integer_accuracy,
        "last_accuracy": result.last_accuracy,
        "samples": len(problem.test),
        "algorithm": args.algorithm,
        "dataset": dataset,
        **settings.record(),
        "dropped": 1 - result.kept,
        **result.size,
        "seconds": round(sum(metrics.seconds for metrics in result.history), 3),
        "metrics": args.out / "metrics.jsonl",
        "curve": args.out / "curve.png",
        "checkpoint": args.out / "checkpoint.pt",
    }
    output.emit(document, json_mode=args.json, table=lambda: _table(document))
    return 0


def _table(document: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(show_header=False, box=None)
    table.add_row("ticket", f"{document['ticket']}")
    table.add_row(
        "best epoch on the validation nodes",
        f"{document['epoch']} of {document['epochs']} ({document['validation_accuracy']:.4f})",
    )
    table.add_row(
        "accuracy in integers", f"{document['integer_accuracy']:.4f} on {document['samples']} nodes"
    )
    table.add_row("after the last epoch", f"{document['last_accuracy']:.4f}")
    table.add_row("weights dropped", f"{document['dropped']:.4f} of {document['layer_weights']}")
    table.add_row("mask", f"{document['mask_bits']} bits")
    saved = 100 * (1 - document["seed_and_mask_bytes"] / document["dense_bytes"])
    table.add_row(
        "seed and masks",
        f"{document['seed_and_mask_bytes']} bytes, {saved:.1f} % less than 32 bits a weight",
    )
    table.add_row("searched in", f"{document['seconds']:.0f} s")
    table.add_row("curve", str(document["curve"]))
    return table
