"""Freeze decode: from draws and thresholds to what becomes of each position."""

from amaranth import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.errors import ConfigError
from tombola.spec.lfsr import WORD
from tombola.spec.weight_stream import DRAW_BITS
from tombola_hw.comparison import exceeds
from tombola_hw.compute_checks import check_bool


class FreezeDecoder(wiring.Component):
    """Sorts positions into pruned, locked and searchable ones.

    Combinational; a position is at most one of the three, and none where it is not `real`. With
    both thresholds 0 every real position is searchable, whatever was drawn. Golden model:
    `tombola.spec.weight_stream.freeze_classes`.

    Parameters
    ----------
    width : int
        Positions, 1 to 32.
    chained : bool
        Compare in carry chains. A position then takes fewer cells of an iCE40, but 24 of an ECP5,
        where it takes 14 in plain logic.

    Members
    -------
    draws : In(8 * width)
        Position 0 lowest.
    real : In(width)
        0 for padding.
    prune, frozen : In(9)
        Draws below `prune` prune, other draws below `frozen` lock; 0 to 256.
    pruned, locked, searchable : Out(width)
    """

    def __init__(self, width: int, *, chained: bool):
        self._width = check_width("FreezeDecoder", width)
        check_bool("FreezeDecoder", "chained", chained)
        self._chained = chained
        super().__init__({
            "draws": In(DRAW_BITS * width),
            "real": In(width),
            "prune": In(DRAW_BITS + 1),
            "frozen": In(DRAW_BITS + 1),
            "pruned": Out(width),
            "locked": Out(width),
            "searchable": Out(width),
        })

    @property
    def width(self) -> int:
        """Positions."""
        return self._width

    def elaborate(self, platform):
        m = Module()

        draws = [self.draws.word_select(at, DRAW_BITS) for at in range(self._width)]
        below_prune = Cat(self._below(draw, self.prune) for draw in draws)
        below_frozen = Cat(self._below(draw, self.frozen) for draw in draws)
        m.d.comb += [
            self.pruned.eq(self.real & below_prune),
            self.locked.eq(self.real & below_frozen & ~below_prune),
            self.searchable.eq(self.real & ~below_frozen),
        ]

        return m

    def _below(self, draw, threshold):
        # A threshold of 256 is above every draw; eight bits decide the others.
        bits = threshold[:DRAW_BITS]
        return threshold[DRAW_BITS] | (draw < bits if self._chained else exceeds(bits, draw))


def check_width(name: str, width: int) -> int:
    """The positions a clock of a construction core, if they are a power of two up to 32.

    Raises
    ------
    TypeError, ConfigError
    """
    if type(width) is not int:
        raise TypeError(f"{name} width must be an int, not {width!r}")
    if not 1 <= width <= WORD or width & (width - 1):
        raise ConfigError(f"{name} width must be a power of two up to {WORD}, not {width}")
    return width
