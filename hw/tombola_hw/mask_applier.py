"""Gives the searchable positions of each step their mask bits: what is kept and what is dropped."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola_hw.class_drawer import classes_layout
from tombola_hw.compute_checks import check_config
from tombola_hw.deposit import BitDeposit, BlockCounts, counts_layout
from tombola_hw.interfaces import address_bits
from tombola_hw.line_packer import step_codes_layout
from tombola_hw.mask_reader import MaskReader, cursor_bits
from tombola_hw.stream_register import StreamRegister

IN_ONE_CLOCK = 4
"""Up to so many positions a clock are counted, shifted and filled in one clock, for parts of
24 MHz; wider steps are to run at 100 MHz and are counted in a clock of their own."""
IN_TWO_CLOCKS = 8
"""More positions meet their window, are halved and are filled in one clock each."""
FINE_BLOCK = 8
"""Blocks up to this size are halved in the clock after the larger ones."""


def counted_layout(config: EngineConfig) -> data.StructLayout:
    """The classes of a step and the counts of its searchable positions."""
    return data.StructLayout({
        "classes": classes_layout(config),
        "counts": counts_layout(config.construction),
    })


def met_layout(config: EngineConfig) -> data.StructLayout:
    """A counted step with the `window` of mask bits that it meets, and the row it belongs to."""
    return data.StructLayout({
        "step": counted_layout(config),
        "window": unsigned(config.construction),
        "row": range(config.rows),
        "last_row": unsigned(1),
    })


class MaskApplier(wiring.Component):
    """Applies the mask to a step a clock.

    The cursor in the mask is moved by `seek`, `target` and `unwind` and read in `cursor`, as
    `MaskReader` says, and only while `drained`. Steps wait until the reader is ready. Latency 1
    clock for up to 4 positions a clock, 2 for 8, 4 for more; a step a clock; codes that are not
    taken stall the classes. Golden model: `tombola.spec.mask_code.decode` for one coat.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    classes : In(stream.Signature(classes_layout(config)))
    codes : Out(stream.Signature(step_codes_layout(config)))
    row, last_row : In(range(rows)), In(1)
        Of the steps under way; they may change while `drained`.
    drained : Out(1)
        No step waits for its mask bits.
    holds : Out(1)
        Some step has met its mask bits and its codes were not taken.
    seek, target, unwind, cursor, read_address, read_data
        Of the mask reader.
    """

    def __init__(self, config: EngineConfig):
        check_config("MaskApplier", config)
        self._config = config
        super().__init__({
            "classes": In(stream.Signature(classes_layout(config))),
            "codes": Out(stream.Signature(step_codes_layout(config))),
            "row": In(range(config.rows)),
            "last_row": In(1),
            "drained": Out(1),
            "holds": Out(1),
            "seek": In(1),
            "target": In(cursor_bits(config)),
            "unwind": In(1),
            "cursor": Out(cursor_bits(config)),
            "read_address": Out(address_bits(config.ticket_words)),
            "read_data": In(WORD),
        })

    def elaborate(self, platform):
        m = Module()
        width = self._config.construction
        wide = width > IN_TWO_CLOCKS
        m.submodules.counter = counter = BlockCounts(width)
        m.submodules.reader = reader = MaskReader(self._config)
        m.submodules.coarse = coarse = BitDeposit(width, smallest=FINE_BLOCK * 2)
        m.submodules.fine = fine = BitDeposit(width, largest=FINE_BLOCK)
        m.submodules.counted = counted = StreamRegister(
            counted_layout(self._config), registered=width > IN_ONE_CLOCK
        )
        m.submodules.met = met = StreamRegister(met_layout(self._config), registered=wide)
        m.submodules.halfway = halfway = StreamRegister(met_layout(self._config), registered=wide)

        waiting, step, code = counted.delayed.p, halfway.delayed.p, self.codes.p
        classes = step.step.classes
        kept = Signal(width)
        m.d.comb += [
            counter.flags.eq(self.classes.p.searchable),
            counted.items.p.classes.eq(self.classes.p),
            counted.items.p.counts.eq(counter.counts),
            counted.items.valid.eq(self.classes.valid),
            self.classes.ready.eq(counted.items.ready),
            met.items.p.step.eq(waiting),
            met.items.p.window.eq(reader.window),
            met.items.p.row.eq(self.row),
            met.items.p.last_row.eq(self.last_row),
            met.items.valid.eq(counted.delayed.valid & reader.ready),
            counted.delayed.ready.eq(met.items.ready & reader.ready),
            reader.take.eq(met.items.ready & counted.delayed.valid),
            reader.count.eq(waiting.counts["all"]),
            coarse.counts.eq(met.delayed.p.step.counts),
            coarse.window.eq(met.delayed.p.window),
            halfway.items.payload.eq(met.delayed.payload),
            halfway.items.p.window.eq(coarse.bits),
            halfway.items.valid.eq(met.delayed.valid),
            met.delayed.ready.eq(halfway.items.ready),
            fine.counts.eq(step.step.counts),
            fine.window.eq(step.window),
            kept.eq(classes.locked | (classes.searchable & fine.bits)),
            halfway.delayed.ready.eq(~self.codes.valid | self.codes.ready),
            self.drained.eq(~self.classes.valid & ~counted.delayed.valid),
            self.holds.eq(met.delayed.valid | halfway.delayed.valid | self.codes.valid),
            reader.seek.eq(self.seek),
            reader.target.eq(self.target),
            reader.unwind.eq(self.unwind),
            self.cursor.eq(reader.cursor),
            reader.read_data.eq(self.read_data),
            self.read_address.eq(reader.read_address),
        ]

        with m.If(halfway.delayed.ready):
            m.d.sync += [
                self.codes.valid.eq(halfway.delayed.valid),
                code.kept.eq(kept),
                # A dropped weight has its flag set whatever its sign was.
                code.flag.eq(classes.flag | (classes.searchable & ~kept)),
                code.last.eq(classes.last),
                code.row.eq(step.row),
                code.last_row.eq(step.last_row),
            ]

        return m
