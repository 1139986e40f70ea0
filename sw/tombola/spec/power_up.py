"""What an engine's memories hold at power-up: nothing, or a ticket that then needs no host."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PowerUp:
    """Contents of the two memories in which a compiled ticket lies; words beyond them are 0.

    Parameters
    ----------
    ticket : sequence of int
        32-bit words of the ticket memory.
    table : sequence of int
        64-bit entries of the requantisation table.
    """

    ticket: Sequence[int] = ()
    table: Sequence[int] = ()
