"""The part of tombola eval that takes the ticket of a graph network."""

import argparse
from typing import Any

from tombola.cli import output
from tombola.cli.graph_problem import load_problem


def takes(ticket: Any) -> bool:
    """Whether a ticket sums over the edges of a graph."""
    from tombola.spec.ticket import Aggregate

    return any(isinstance(layer, Aggregate) for layer in ticket.layers)


def run(args: argparse.Namespace, ticket: Any) -> dict[str, Any]:
    """Measures on the test nodes; the document of the verb.

    Raises
    ------
    ConfigError
        If the ticket does not say which graph it is of and how a node takes in its neighbours, or
        if only some of the nodes are asked for.
    """
    from tombola.search.graph.edges import of_model
    from tombola.search.graph.search import integer_accuracy
    from tombola.spec.errors import ConfigError

    name = args.dataset or ticket.provenance.get("dataset")
    model = ticket.provenance.get("model")
    if not isinstance(name, str) or not isinstance(model, str):
        raise ConfigError(
            f"{args.ticket} names no graph and no weights for its edges; run it from Python, with "
            "IntegerModel(ticket, edges=...)"
        )
    if args.samples is not None:
        raise ConfigError("--samples is not for graph networks; their nodes are computed together")
    problem = load_problem(name, data_dir=args.data_dir)
    with output.working(f"{problem.nodes} nodes of {name}"):
        edges = of_model(model, problem.edges, problem.nodes).list()
        accuracy = integer_accuracy(ticket, problem, edges)
    return {
        "ticket": args.ticket,
        "dataset": name,
        "samples": len(problem.test),
        "float_accuracy": ticket.provenance.get("float_accuracy"),
        "integer_accuracy": accuracy,
    }
