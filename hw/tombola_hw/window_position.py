"""Where in the input a window stands: row and column, and whether they exist."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.interfaces import layer_layout


class WindowPosition(wiring.Component):
    """Row and column of the input that a window position stands for, and whether they exist.

    Members
    -------
    across, down, next_column, next_row, next_group : In(1)
        To the next kernel column; to the next kernel row; to the next output column, row or to the
        first of a group. Each includes those before it.
    pool_column, pool_row : In(1)
        With fused pooling: to the next column, row of the same window of output positions; before
        `next_column`, which includes them.
    inside : Out(1)
    """

    def __init__(self, config: EngineConfig):
        # One bit more than a side: a position before the first is then beyond the last.
        self._config, self._bits = config, config.count_bits + 1
        pool = {"pool_column": In(1), "pool_row": In(1)} if config.fused_pooling else {}
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "across": In(1),
            "down": In(1),
            "next_column": In(1),
            "next_row": In(1),
            "next_group": In(1),
            "inside": Out(1),
            **pool,
        })

    def elaborate(self, platform):
        m = Module()
        layer = self.layer
        x, y, window_x, window_y = (Signal(self._bits, name=n) for n in ("x", "y", "wx", "wy"))
        # Where the next output position counts from: the first of the pooling window in force.
        column, row = window_x, window_y
        if self._config.fused_pooling:
            column, row = Signal(self._bits), Signal(self._bits)
        next_x, next_y = Signal(self._bits), Signal(self._bits)
        first_row = self.start | self.next_group

        m.d.comb += [
            self.inside.eq((x < layer.in_width) & (y < layer.in_height)),
            next_x.eq(Mux(self.start | self.next_row, layer.first_x, column + layer.stride_x)),
            next_y.eq(Mux(first_row, layer.first_y, row + layer.stride_y)),
        ]
        with m.If(self.across):
            m.d.sync += x.eq(Mux(self.down, window_x, x + 1))
        with m.If(self.down):
            m.d.sync += y.eq(y + 1)
        if self._config.fused_pooling:
            pool_x, pool_y = Signal(self._bits), Signal(self._bits)
            m.d.comb += [
                pool_x.eq(Mux(self.pool_row, column, window_x + layer.pool_stride_x)),
                pool_y.eq(window_y + layer.pool_stride_y),
            ]
            with m.If(self.pool_column):
                m.d.sync += [x.eq(pool_x), window_x.eq(pool_x), y.eq(window_y)]
            with m.If(self.pool_row):
                m.d.sync += [y.eq(pool_y), window_y.eq(pool_y)]
        with m.If(self.next_column):
            m.d.sync += [x.eq(next_x), window_x.eq(next_x), y.eq(row)]
            if self._config.fused_pooling:
                m.d.sync += [column.eq(next_x), window_y.eq(row)]
        with m.If(self.next_row):
            m.d.sync += [y.eq(next_y), window_y.eq(next_y)]
            if self._config.fused_pooling:
                m.d.sync += row.eq(next_y)
        with m.If(self.start):
            m.d.sync += [x.eq(next_x), window_x.eq(next_x), y.eq(next_y), window_y.eq(next_y)]
            if self._config.fused_pooling:
                m.d.sync += [column.eq(next_x), row.eq(next_y)]
        return m
