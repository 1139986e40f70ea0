"""Ticket search in PyTorch: any model, and algorithms put together from parts."""

from tombola.search.network import Network, convert
from tombola.search.settings import SearchSettings

__all__ = ["Network", "SearchSettings", "convert"]
