"""Gives the searchable positions of each step their mask bits: what is kept and what is dropped."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola_hw.class_drawer import classes_layout
from tombola_hw.compute_checks import check_config
from tombola_hw.deposit import BitDeposit, BlockCounts
from tombola_hw.interfaces import address_bits
from tombola_hw.line_packer import step_codes_layout
from tombola_hw.mask_reader import MaskReader, cursor_bits

COUNT_WITH_DEPOSIT = 8
"""Up to so many positions a clock they are counted in the clock of the deposit; more take a clock
of their own."""


class MaskApplier(wiring.Component):
    """Applies the mask to a step a clock.

    The cursor in the mask is moved by `seek`, `target` and `unwind` and read in `cursor`, as
    `MaskReader` says, and only while `drained`. Steps wait until the reader is ready. Latency 1
    clock, 2 for more than 8 positions a clock; codes that are not taken stall the classes. Golden
    model: `tombola.spec.mask_code.decode` for one coat.

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
        No step is before its mask bits.
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
            "seek": In(1),
            "target": In(cursor_bits(config)),
            "unwind": In(1),
            "cursor": Out(cursor_bits(config)),
            "read_address": Out(address_bits(config.ticket_words)),
            "read_data": In(WORD),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.counter = counter = BlockCounts(self._config.construction)
        m.submodules.reader = reader = MaskReader(self._config)
        m.submodules.deposit = deposit = BitDeposit(self._config.construction)

        code = self.codes.p
        step = Signal(classes_layout(self._config))
        valid, moves = Signal(), Signal()  # of the step that meets its mask bits
        if self._config.construction <= COUNT_WITH_DEPOSIT:
            m.d.comb += [
                step.eq(self.classes.p),
                valid.eq(self.classes.valid),
                self.classes.ready.eq(moves),
                deposit.counts.eq(counter.counts),
            ]
        else:
            m.d.comb += self.classes.ready.eq(~valid | moves)
            with m.If(self.classes.ready):
                m.d.sync += [
                    step.eq(self.classes.p),
                    valid.eq(self.classes.valid),
                    deposit.counts.eq(counter.counts),
                ]

        kept = step.locked | (step.searchable & deposit.bits)
        m.d.comb += [
            counter.flags.eq(self.classes.p.searchable),
            deposit.window.eq(reader.window),
            moves.eq(valid & reader.ready & (~self.codes.valid | self.codes.ready)),
            reader.take.eq(moves),
            reader.count.eq(deposit.counts["all"]),
            self.drained.eq(~self.classes.valid & ~valid),
            reader.seek.eq(self.seek),
            reader.target.eq(self.target),
            reader.unwind.eq(self.unwind),
            self.cursor.eq(reader.cursor),
            reader.read_data.eq(self.read_data),
            self.read_address.eq(reader.read_address),
        ]

        with m.If(self.codes.ready):
            m.d.sync += self.codes.valid.eq(0)
        with m.If(moves):
            m.d.sync += [
                self.codes.valid.eq(1),
                code.kept.eq(kept),
                # A dropped weight has its flag set whatever its sign was.
                code.flag.eq(step.flag | (step.searchable & ~kept)),
                code.last.eq(step.last),
                code.row.eq(self.row),
                code.last_row.eq(self.last_row),
            ]

        return m
