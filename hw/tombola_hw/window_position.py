"""Where in the input a window stands: row and column, and whether they exist."""

from amaranth import C, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.interfaces import layer_layout


class WindowPosition(wiring.Component):
    """Row and column of the input that a window position stands for, and whether they exist.

    Members
    -------
    advance : In(1)
        Step in one of these ways; it comes late, and does not choose between them:
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
            "advance": In(1),
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
        pool_column, pool_row = C(0), C(0)
        if self._config.fused_pooling:
            column, row = Signal(self._bits), Signal(self._bits)
            pool_column, pool_row = self.pool_column, self.pool_row

        # One adder a side: what it counts from, by how much, and where that leads.
        from_x, by_x, next_x = (Signal(self._bits, name=f"{n}_x") for n in ("from", "by", "next"))
        from_y, by_y, next_y = (Signal(self._bits, name=f"{n}_y") for n in ("from", "by", "next"))
        m.d.comb += [
            next_x.eq(from_x + by_x),
            next_y.eq(from_y + by_y),
            self.inside.eq((x < layer.in_width) & (y < layer.in_height)),
        ]
        with m.If(self.start | self.next_row):
            m.d.comb += by_x.eq(layer.first_x)
        with m.Elif(self.next_column):
            m.d.comb += [from_x.eq(column), by_x.eq(layer.stride_x)]
        with m.Elif(pool_row):
            m.d.comb += from_x.eq(column)
        with m.Elif(self.down):
            m.d.comb += from_x.eq(window_x)
            if self._config.fused_pooling:
                m.d.comb += by_x.eq(Mux(pool_column, layer.pool_stride_x, 0))
        with m.Else():
            m.d.comb += [from_x.eq(x), by_x.eq(1)]
        with m.If(self.start | self.next_group):
            m.d.comb += by_y.eq(layer.first_y)
        with m.Elif(self.next_column):
            m.d.comb += [from_y.eq(row), by_y.eq(Mux(self.next_row, layer.stride_y, 0))]
        with m.Elif(pool_column):
            m.d.comb += from_y.eq(window_y)
            if self._config.fused_pooling:
                m.d.comb += by_y.eq(Mux(pool_row, layer.pool_stride_y, 0))
        with m.Else():
            m.d.comb += [from_y.eq(y), by_y.eq(1)]

        def steps(way):
            return m.If(self.start | (self.advance & way))

        with steps(self.across):
            m.d.sync += x.eq(next_x)
        with steps(self.down):
            m.d.sync += y.eq(next_y)
        with steps(self.next_column | pool_column):
            m.d.sync += window_x.eq(next_x)
        with steps(self.next_column | pool_row):
            m.d.sync += window_y.eq(next_y)
        if self._config.fused_pooling:
            with steps(self.next_column):
                m.d.sync += column.eq(next_x)
            with steps(self.next_row):
                m.d.sync += row.eq(next_y)
        return m
