"""Registers between two streams: where a pipeline is cut, and whether it is, are parameters."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tombola_hw.compute_checks import check_bool


class StreamRegister(wiring.Component):
    """Passes a stream on one clock later, or in the same clock.

    Throughput: one item a clock. An item that is not taken stalls the input; `ready` is
    combinational from output to input either way. Golden model: the identity.

    Parameters
    ----------
    shape : shape-like
        Of an item.
    registered : bool
        False: a wire.

    Members
    -------
    items : In(stream.Signature(shape))
    delayed : Out(stream.Signature(shape))
    """

    def __init__(self, shape, *, registered: bool):
        check_bool("StreamRegister", "registered", registered)
        self._registered = registered
        super().__init__({
            "items": In(stream.Signature(shape)),
            "delayed": Out(stream.Signature(shape)),
        })

    def elaborate(self, platform):
        m = Module()

        if not self._registered:
            connect(m, flipped(self.items), flipped(self.delayed))
            return m

        m.d.comb += self.items.ready.eq(~self.delayed.valid | self.delayed.ready)
        with m.If(self.items.ready):
            m.d.sync += self.delayed.valid.eq(self.items.valid)
            m.d.sync += self.delayed.payload.eq(self.items.payload)

        return m


class StreamBuffer(wiring.Component):
    """Two places for items, so that no path leads from output to input: `ready` is a register's.

    Latency 1 clock, an item a clock. Golden model: the identity.

    Parameters
    ----------
    shape : shape-like
        Of an item.

    Members
    -------
    items : In(stream.Signature(shape))
    delayed : Out(stream.Signature(shape))
    """

    def __init__(self, shape):
        self._shape = shape
        super().__init__({
            "items": In(stream.Signature(shape)),
            "delayed": Out(stream.Signature(shape)),
        })

    def elaborate(self, platform):
        m = Module()

        spare = Signal(self._shape)  # came while the output was not taken
        full = Signal()
        m.d.comb += self.items.ready.eq(~full)
        with m.If(~full):
            m.d.sync += spare.eq(self.items.payload)
        with m.If(~self.delayed.valid | self.delayed.ready):
            m.d.sync += [
                self.delayed.valid.eq(full | self.items.valid),
                self.delayed.payload.eq(Mux(full, spare, self.items.payload)),
                full.eq(0),
            ]
        with m.Elif(self.items.valid):
            m.d.sync += full.eq(1)

        return m
