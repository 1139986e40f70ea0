"""What the bytes of an image stand for: the table they go through, and its real value of 1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tombola.spec.arithmetic import NumberType
from tombola.spec.errors import ConfigError

BITS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class InputCode:
    """A table for the bytes of each channel.

    Parameters
    ----------
    table : int16 array (channels, 256)
    type : NumberType
        Of the table's values.
    step : float
        Real value of a table value of 1.
    """

    table: np.ndarray
    type: NumberType
    step: float

    @classmethod
    def plain(cls, channels: int, *, step: float = 1 / 255) -> "InputCode":
        """Bytes as they are, real values from 0 to 255 steps."""
        table = np.tile(np.arange(256, dtype=np.int16), (channels, 1))
        return cls(table=table, type=NumberType(bits=BITS, signed=False), step=step)

    @classmethod
    def normalised(cls, mean: Sequence[float], deviation: Sequence[float]) -> "InputCode":
        """``(byte / 255 - mean) / deviation`` for each channel, in 8 signed bits.

        The step is the finest in which all of them fit.

        Raises
        ------
        ConfigError
            If a deviation is not above 0.
        """
        if len(mean) != len(deviation) or min(deviation) <= 0:
            raise ConfigError(
                f"each channel must have a mean and a deviation above 0, not {list(mean)} and "
                f"{list(deviation)}"
            )
        means, deviations = np.array(mean)[:, None], np.array(deviation)[:, None]
        real = (np.arange(256) / 255 - means) / deviations
        step = float(np.abs(real).max()) / ((1 << (BITS - 1)) - 1)
        table = np.floor(real / step + 0.5).astype(np.int16)
        return cls(table=table, type=NumberType(bits=BITS, signed=True), step=step)

    @property
    def is_plain(self) -> bool:
        """True where the table changes nothing."""
        return bool((self.table == np.arange(256)).all())
