"""Data sets: where they come from, how they are checked, how they are loaded."""

from .catalog import SOURCES, fetch, find, load, load_graph
from .dataset import Dataset
from .graph import Graph

__all__ = ["SOURCES", "Dataset", "Graph", "fetch", "find", "load", "load_graph"]
