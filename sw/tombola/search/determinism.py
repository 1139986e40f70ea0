"""Where PyTorch computes, and the switches under which the same settings give the same bytes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.utils.deterministic

from tombola.spec.errors import ConfigError


def check_device(device: str) -> None:
    """Refuses "cuda" where PyTorch sees no GPU."""
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("PyTorch sees no GPU; search with device cpu")


@contextmanager
def deterministic(*, threads: int, device: str = "cpu") -> Iterator[None]:
    """Only deterministic kernels and a fixed number of threads inside; as before afterwards.

    A GPU lacks such kernels for some poolings: there PyTorch warns, and bytes may differ.
    """
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.get_num_threads(),
        torch.utils.deterministic.fill_uninitialized_memory,
    )
    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    torch.set_num_threads(threads)
    # Nothing here reads memory that it has not written; the filling cost 20 % of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.set_num_threads(before[1])
        torch.utils.deterministic.fill_uninitialized_memory = before[2]
