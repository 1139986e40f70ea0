"""Stream order: how the weights of one output channel are laid along its row of positions."""

from dataclasses import dataclass

import numpy as np

from tombola.spec.errors import ConfigError
from tombola.spec.lfsr import WORD


@dataclass(frozen=True, kw_only=True)
class RowLayout:
    """Positions of one output channel: ky, kx, then the input channel of the group, innermost.

    Channels are padded to the next power of two up to 32 and to a multiple of 32 above, and the
    row to a multiple of 32, so that any power-of-two group of up to 32 lanes divides the words and
    none straddles two kernel positions that it does not wholly own. Padding consumes draws and
    owns no mask bit.

    Parameters
    ----------
    kernel : (int, int)
        Height and width.
    channels : int
        Input channels of one group.
    """

    kernel: tuple[int, int]
    channels: int

    def __post_init__(self) -> None:
        if self.channels < 1 or min(self.kernel) < 1:
            raise ConfigError(
                f"a row needs at least one channel and a 1x1 kernel, not {self.channels} and "
                f"{self.kernel[0]}x{self.kernel[1]}"
            )

    @property
    def padded_channels(self) -> int:
        """Positions one kernel position takes."""
        if self.channels > WORD:
            return -(-self.channels // WORD) * WORD
        return 1 << (self.channels - 1).bit_length()

    @property
    def words(self) -> int:
        """Words of 32 positions in a row."""
        return -(-self.kernel[0] * self.kernel[1] * self.padded_channels // WORD)

    @property
    def positions(self) -> int:
        """Length of a row, padding included; a multiple of 32."""
        return self.words * WORD

    @property
    def weights(self) -> int:
        """Real positions of a row: the fan-in."""
        return self.kernel[0] * self.kernel[1] * self.channels

    def real(self) -> np.ndarray:
        """Bool array (positions,): True where a position is a weight, False where it is padding."""
        row = np.zeros(self.positions, dtype=bool)
        used = self.kernel[0] * self.kernel[1] * self.padded_channels
        row[:used].reshape(-1, self.padded_channels)[:, : self.channels] = True
        return row

    def to_stream(self, weights: np.ndarray) -> np.ndarray:
        """Array (out, channels, height, width) to rows (out, positions), zero in the padding."""
        out = weights.shape[0]
        if weights.shape[1:] != (self.channels, *self.kernel):
            raise ConfigError(
                f"weights must be (out, {self.channels}, {self.kernel[0]}, {self.kernel[1]}), "
                f"not {weights.shape}"
            )
        rows = np.zeros((out, self.positions), dtype=weights.dtype)
        rows[:, self.real()] = weights.transpose(0, 2, 3, 1).reshape(out, -1)
        return rows

    def from_stream(self, rows: np.ndarray) -> np.ndarray:
        """Rows (out, positions) to an array (out, channels, height, width)."""
        kept = rows[:, self.real()]
        return kept.reshape(rows.shape[0], *self.kernel, self.channels).transpose(0, 3, 1, 2)
