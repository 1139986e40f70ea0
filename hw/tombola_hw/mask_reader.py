"""Reads a row's mask from the ticket memory: a window of bits at a cursor that moves by bits."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tombola.spec.descriptor import WORD_BITS
from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import address_bits


def cursor_bits(config: EngineConfig) -> int:
    """Bits that address any bit of the ticket memory."""
    return address_bits(config.ticket_words) + exact_log2(WORD_BITS)


FILL = 3
"""Clocks from `seek` to the first window, less one: the address goes out, two pieces come in."""


class MaskReader(wiring.Component):
    """Shows the next mask bits and moves on by as many as were used.

    The memory's words come in as pieces of `construction` bits; the window lies across two of
    them, a third waits in the memory's output and the address of a fourth is out, so that a whole
    window can be used every clock and no path leads from `take` to the memory. `seek` sets the
    cursor; `ready` rises 4 clocks later. While `ready`, `take` uses `count` bits in one clock. The
    memory must answer one clock after the address and keep its answer while the address stands;
    from `seek` on it belongs to this core.

    `pointer` runs three pieces ahead of the cursor. `unwind` for two clocks, with no take since
    the reader was last ready, brings it back: then `cursor` is right until the next `seek`, and the
    window is lost. Golden model: `tombola.spec.mask_code.unpack` and a slice.

    Parameters
    ----------
    config : EngineConfig
        `construction` and `ticket_words` count.

    Members
    -------
    seek : In(1)
    target : In(cursor_bits)
        Absolute bit: 32 * word + bit.
    unwind : In(1)
    cursor : Out(cursor_bits)
    ready : Out(1)
    window : Out(construction)
        The bit at the cursor lowest.
    take : In(1)
    count : In(range(construction + 1))
    read_address : Out(address_bits(ticket_words))
    read_data : In(32)
    """

    def __init__(self, config: EngineConfig):
        check_config("MaskReader", config)
        self._config = config
        width = config.construction
        super().__init__({
            "seek": In(1),
            "target": In(cursor_bits(config)),
            "unwind": In(1),
            "cursor": Out(cursor_bits(config)),
            "ready": Out(1),
            "window": Out(width),
            "take": In(1),
            "count": In(range(width + 1)),
            "read_address": Out(address_bits(config.ticket_words)),
            "read_data": In(WORD_BITS),
        })

    def elaborate(self, platform):
        m = Module()

        width = self._config.construction
        offset_bits = exact_log2(width)
        piece_bits = exact_log2(WORD_BITS // width)

        pointer = Signal(cursor_bits(self._config) - offset_bits)  # piece whose address is out
        coming = Signal(width)  # piece in the memory's output, or
        spare = Signal(width)   # the one before it, which was not taken in its clock
        spared = Signal()
        unwinds = Signal()
        offset = Signal(offset_bits)
        near, far = Signal(width), Signal(width)
        fill = Signal(range(FILL + 1), init=FILL)

        used = Signal(offset_bits + 1)
        advance = Signal()
        # One adder serves both directions: minus one, then minus two.
        addend = Cat(advance | (self.unwind & ~unwinds), self.unwind.replicate(len(pointer) - 1))
        m.d.comb += [
            self.ready.eq(fill == 0),
            used.eq(offset + self.count),
            advance.eq(Mux(self.ready, self.take & used[-1], ~self.unwind)),
            self.read_address.eq(pointer[piece_bits:]),
            # The piece before `pointer`, from the words turned by one.
            coming.eq(
                self.read_data.rotate_left(width).word_select(pointer[:piece_bits], width)
            ),
            self.window.eq(Cat(near, far) >> offset),
            self.cursor.eq(Cat(offset, pointer)),
        ]

        m.d.sync += [
            pointer.eq(pointer + addend),
            spared.eq(~advance),
            unwinds.eq(self.unwind & ~unwinds),
        ]
        with m.If(~spared):
            m.d.sync += spare.eq(coming)
        with m.If(~self.ready):
            m.d.sync += fill.eq(fill - 1)
        with m.If(advance):
            m.d.sync += near.eq(far)
            m.d.sync += far.eq(Mux(spared, spare, coming))
        with m.If(self.ready & self.take):
            m.d.sync += offset.eq(used)
        with m.If(self.seek):
            m.d.sync += Cat(offset, pointer).eq(self.target)
            m.d.sync += fill.eq(FILL)

        return m
