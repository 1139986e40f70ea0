"""Data sets: where they come from, how they are checked, how they are loaded."""

from .catalog import SOURCES, fetch, find, load
from .dataset import Dataset

__all__ = ["SOURCES", "Dataset", "fetch", "find", "load"]
