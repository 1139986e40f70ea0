"""How the sparsity of a search grows over its epochs."""

from collections.abc import Callable


def constant(target: float, *, epoch: float, epochs: int, period: int) -> float:
    """The target from the first step on."""
    return target


def ramp(target: float, *, epoch: float, epochs: int, period: int) -> float:
    """Linear from 0 to the target over the first half of the epochs.

    Source: Huang et al., "You can have better graph neural networks by not training weights at
    all", 2022; Yan et al., 2023, for each coat.
    """
    return target * min(1.0, 2 * epoch / epochs)


def geometric(target: float, *, epoch: float, epochs: int, period: int) -> float:
    """Every `period` epochs the same part of what is left goes, so that the last time it is met.

    Source: Sreenivasan et al., "Rare gems: finding lottery tickets at initialization", 2022.
    """
    times = max(1, epochs // period)
    done = int(epoch) // period
    # The power is a rounded number; the target itself is not.
    return target if done >= times else 1 - (1 - target) ** (done / times)


SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": constant,
    "ramp": ramp,
    "geometric": geometric,
}
"""Each takes the target and, by name, the epochs done (whole or not), all epochs and the period."""
