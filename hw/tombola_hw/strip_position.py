"""Where in strips of the input a window stands: column, row, strip, and whether they exist."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.interfaces import STRIP_MARGIN, layer_layout


class StripPosition(wiring.Component):
    """A `WindowPosition` for several pixels, of which pixel p is p strips ahead.

    A row is the number of pixel 0's strip and a row in it, which all pixels share.

    Members
    -------
    advance, across, down, next_column, next_row, next_group : In(1)
        As in `WindowPosition`.
    pool_column, pool_row : In(1)
        As in `WindowPosition`, with fused pooling.
    inside : Out(pixels)
    turn : Out(log2(pixels))
        Number of pixel 0's strip, modulo the pixels.
    row_ends : Out(1)
        The next kernel row is in the next strip.
    window_ends : Out(1)
        The windows of the next output row begin a strip further than in `stride_strips`.
    pool_ends : Out(1)
        With fused pooling: those of the next row of the window in force begin a strip further than
        in `pool_strips`.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "advance": In(1),
            "across": In(1),
            "down": In(1),
            "next_column": In(1),
            "next_row": In(1),
            "next_group": In(1),
            "inside": Out(config.pixels),
            "turn": Out(config.turn_bits),
            "row_ends": Out(1),
            "window_ends": Out(1),
            **(
                {"pool_column": In(1), "pool_row": In(1), "pool_ends": Out(1)}
                if config.fused_pooling
                else {}
            ),
        })

    def elaborate(self, platform):
        m = Module()
        layer = self.layer
        # One bit more than a side: a column before the first is then beyond the last.
        bits = self._config.count_bits + 1
        column, window_column, next_window = (
            Signal(bits, name=n) for n in ("column", "window_column", "next_window_column")
        )
        m.d.comb += [
            self.inside.eq(Cat((column < layer.in_width) & row for row in self._rows(m))),
            next_window.eq(
                Mux(self.start | self.next_row, layer.first_x, window_column + layer.stride_x)
            ),
        ]
        first = window_column  # of the windows that kernel columns count from
        if self._config.fused_pooling:
            first, next_first = Signal(bits), Signal(bits)
            m.d.comb += next_first.eq(
                Mux(self.pool_row, window_column, first + layer.pool_stride_x)
            )
        with m.If(self.start | (self.advance & self.next_column)):
            m.d.sync += [column.eq(next_window), window_column.eq(next_window)]
            if self._config.fused_pooling:
                m.d.sync += first.eq(next_window)
        if self._config.fused_pooling:
            with m.Elif(self.advance & self.pool_column):
                m.d.sync += [column.eq(next_first), first.eq(next_first)]
        with m.Elif(self.advance & self.across):
            m.d.sync += column.eq(Mux(self.down, first, column + 1))
        return m

    def _rows(self, m):
        """For each pixel, whether the row of its strip exists."""
        layer, bits = self.layer, self._config.count_bits
        strip_bits = self._config.turn_bits + STRIP_MARGIN
        row, window_row, next_row, next_window = (
            Signal(bits, name=n) for n in ("row", "window_row", "next_row", "next_window")
        )
        strip, window_strip, next_strip, next_window_strip = (
            Signal(strip_bits, name=n)
            for n in ("strip", "window_strip", "next_strip", "next_window_strip")
        )
        further = self.start | self.next_row
        with m.If(self.start | self.next_group):
            m.d.comb += [next_window.eq(layer.first_row), next_window_strip.eq(layer.first_strip)]
        with m.Else():
            m.d.comb += [
                next_window.eq(
                    Mux(
                        self.window_ends,
                        window_row - layer.window_limit,
                        window_row + layer.stride_rows,
                    )
                ),
                next_window_strip.eq(window_strip + layer.stride_strips + self.window_ends),
            ]
        with m.If(further):
            m.d.comb += [next_row.eq(next_window), next_strip.eq(next_window_strip)]
        with m.Elif(self.next_column):
            m.d.comb += [next_row.eq(window_row), next_strip.eq(window_strip)]
        if self._config.fused_pooling:
            pool_row, pool_strip = Signal.like(row), Signal.like(strip)
            with m.Elif(self.pool_row):
                m.d.comb += [
                    next_row.eq(
                        Mux(
                            self.pool_ends,
                            pool_row - layer.pool_limit,
                            pool_row + layer.pool_rows,
                        )
                    ),
                    next_strip.eq(pool_strip + layer.pool_strips + self.pool_ends),
                ]
            with m.Elif(self.pool_column):
                m.d.comb += [next_row.eq(pool_row), next_strip.eq(pool_strip)]
        with m.Else():
            m.d.comb += [
                next_row.eq(Mux(self.row_ends, 0, row + 1)),
                next_strip.eq(strip + self.row_ends),
            ]
        if self._config.fused_pooling:
            with m.If(self.start | (self.advance & (self.next_column | self.pool_row))):
                m.d.sync += [pool_row.eq(next_row), pool_strip.eq(next_strip)]
                m.d.sync += self.pool_ends.eq(next_row >= layer.pool_limit)
        with m.If(self.start | (self.advance & self.down)):
            m.d.sync += [row.eq(next_row), strip.eq(next_strip)]
            m.d.sync += self.row_ends.eq(next_row == layer.last_row)
        with m.If(self.start | (self.advance & self.next_row)):
            m.d.sync += [window_row.eq(next_window), window_strip.eq(next_window_strip)]
            m.d.sync += self.window_ends.eq(next_window >= layer.window_limit)

        m.d.comb += self.turn.eq(strip)
        in_rest = row < layer.rest_rows
        exist = []
        for pixel in range(self._config.pixels):
            ahead = Signal(strip_bits, name=f"strip{pixel}")
            m.d.comb += ahead.eq(strip + pixel)
            whole = layer.whole_strips[:strip_bits]
            exist.append((ahead < whole) | ((ahead == whole) & in_rest))
        return exist
