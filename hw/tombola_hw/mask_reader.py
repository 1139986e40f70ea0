"""Reads a row's mask from the ticket memory: a window of bits at a cursor that moves by bits."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tombola.spec.descriptor import WORD_BITS
from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.delay import late
from tombola_hw.interfaces import address_bits


def cursor_bits(config: EngineConfig) -> int:
    """Bits that address any bit of the ticket memory."""
    return address_bits(config.ticket_words) + exact_log2(WORD_BITS)


def lag(config: EngineConfig) -> int:
    """Clocks from an address to its word, and from a target to its address: where there are cells
    for it, with a register, since a block RAM's data come late in the clock."""
    return 1 if config.compact else 2


class MaskReader(wiring.Component):
    """Shows the next mask bits and moves on by as many as were used.

    The memory's words come in as pieces of `construction` bits; the window lies across two of
    them, a third waits in the memory's output and the address of a fourth is out, so that a whole
    window can be used every clock and no path leads from `take` to the memory. If not `compact`, a
    piece more is on its way. `seek` sets the cursor; `ready` rises 4 clocks later, or 6 if not
    `compact`. While `ready`, `take` uses `count` bits in one clock. The
    memory must answer one clock after the address and keep its answer while the address stands;
    from `seek` on it belongs to this core.

    `pointer` runs three pieces ahead of the cursor, or four. `unwind` for two clocks, with no take
    since the reader was last ready, brings it back: then `cursor` is right until the next `seek`,
    and the window is lost. Golden model: `tombola.spec.mask_code.unpack` and a slice.

    Parameters
    ----------
    config : EngineConfig
        `construction`, `ticket_words` and `compact` count.

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

        clocks = lag(self._config)
        pointer = Signal(cursor_bits(self._config) - offset_bits)  # piece whose address is out
        coming = Signal(width)  # piece of the word at hand, or
        # those before it, which were not taken in their clocks: as many as the last `clocks` clocks
        # did not advance.
        spares = [Signal(width, name=f"spare{index}") for index in range(clocks)]
        stood = [Signal(name=f"stood{index}") for index in range(clocks)]
        unwinds = Signal()
        offset = Signal(offset_bits)
        near, far = Signal(width), Signal(width)
        # Behind `seek`: the target's register, the address, the word and two pieces.
        settling = 2 * clocks + 1
        fill = Signal(range(settling + 1), init=settling)

        used = Signal(offset_bits + 1)
        advance = Signal()
        # One adder serves both directions: minus one, then minus two; or minus two each time.
        odd = self.unwind & ~unwinds if clocks == 1 else 0
        addend = Cat(advance | odd, self.unwind.replicate(len(pointer) - 1))
        # The piece before `pointer`, from the words turned by one.
        word, place = self.read_data.rotate_left(width), pointer[:piece_bits]
        if clocks > 1:
            word, place = late(m, self.read_data, 1), late(m, place, clocks)
        seeks, target = late(m, self.seek, clocks - 1), late(m, self.target, clocks - 1)
        m.d.comb += [
            self.ready.eq(fill == 0),
            used.eq(offset + self.count),
            advance.eq(Mux(self.ready, self.take & used[-1], ~self.unwind)),
            self.read_address.eq(pointer[piece_bits:]),
            coming.eq(word.word_select(place, width)),
            self.window.eq(Cat(near, far) >> offset),
            self.cursor.eq(Cat(offset, pointer)),
        ]

        m.d.sync += [
            pointer.eq(pointer + addend),
            unwinds.eq(self.unwind & ~unwinds),
            Cat(stood).eq(Cat(~advance, *stood)),
        ]
        # A new piece has come if the clock of its address was one of an advance.
        with m.If(~stood[-1]):
            m.d.sync += Cat(spares).eq(Cat(coming, *spares))
        piece = coming
        if clocks == 1:
            piece = Mux(stood[0], spares[0], coming)
        else:
            piece = Mux(
                stood[0] & stood[1], spares[1], Mux(stood[0] | stood[1], spares[0], coming)
            )
        with m.If(~self.ready):
            m.d.sync += fill.eq(fill - 1)
        with m.If(advance):
            m.d.sync += [near.eq(far), far.eq(piece)]
        with m.If(self.ready & self.take):
            m.d.sync += offset.eq(used)
        with m.If(self.seek):
            m.d.sync += fill.eq(settling)
        with m.If(seeks):
            m.d.sync += Cat(offset, pointer).eq(target)

        return m
