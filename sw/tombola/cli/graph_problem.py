"""A graph by name, as the search takes it."""

from pathlib import Path
from typing import Any


def load_problem(name: str, *, data_dir: Path | None) -> Any:
    """The `GraphProblem` of a data set; raises as `tombola.data.load_graph` does."""
    from tombola import data
    from tombola.search.graph.problem import GraphProblem

    graph = data.load_graph(name, data_dir=data_dir)
    return GraphProblem.of(
        features=graph.features,
        starts=graph.starts,
        columns=graph.columns,
        values=graph.values,
        edges=graph.edges,
        labels=graph.labels,
        splits=(graph.train, graph.validation, graph.test),
        class_names=graph.class_names,
    )
