"""Numbers that settings may be, and the line that refuses the others."""

from typing import Any

from tombola.spec.errors import ConfigError

MAX_THREADS = 1024
"""PyTorch starts as many as it is told to, until the process dies of them."""

MAX_RATE = 1e37
"""Far beyond any use, and below what takes a step of Adam out of float32."""


def check_threads(threads: int) -> None:
    """Refuses a number of threads below 1, or one that no machine has cores for."""
    if not 1 <= threads <= MAX_THREADS:
        raise ConfigError(f"threads must be between 1 and {MAX_THREADS}, not {threads}")


def check_rates(settings: Any, *, above: tuple[str, ...] = (), least: tuple[str, ...] = ()) -> None:
    """Refuses what is too much, no number, 0 or less among `above`, less than 0 among `least`.

    Parameters
    ----------
    settings : object
    above, least : tuple of str
        Names of its attributes.
    """
    for name in above:
        value = getattr(settings, name)
        if not 0 < value <= MAX_RATE:
            raise ConfigError(f"{name} must be above 0 and at most {MAX_RATE:g}, not {value:g}")
    for name in least:
        value = getattr(settings, name)
        if not 0 <= value <= MAX_RATE:
            raise ConfigError(f"{name} must be between 0 and {MAX_RATE:g}, not {value:g}")
