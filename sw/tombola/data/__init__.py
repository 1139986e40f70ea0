"""Data sets and trained networks: where they are from, how they are checked, how loaded."""

from .catalog import SOURCES, fetch, find, load, load_graph, load_network
from .dataset import Dataset
from .graph import Graph
from .keras import read as read_keras
from .trained import TrainedLayer, TrainedNetwork

__all__ = [
    "SOURCES", "Dataset", "Graph", "TrainedLayer", "TrainedNetwork", "fetch", "find", "load",
    "load_graph", "load_network", "read_keras",
]
