"""CRC-32 over bytes, one bit a clock, for links that are slower than eight clocks a byte."""

from amaranth import Module, Mux, ResetInserter, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out


def crc_byte_layout() -> data.StructLayout:
    """One step of the CRC: a byte to absorb, or (`discard`) eight bits of the CRC to shift out."""
    return data.StructLayout({"byte": 8, "discard": 1})


class ByteCrc(wiring.Component):
    """Computes CRC-32/ISO-HDLC, the CRC of `tombola.spec.link`.

    Takes a byte every 9 clocks; bit by bit costs a sixth of the logic of a byte at once. `crc` and
    `match` hold while `bytes.ready`. Discarding moves the next higher byte of the CRC to the low
    end, so that a transmitter needs no multiplexer. `clear` starts a new message and wins over
    everything else. Golden model: ``zlib.crc32``.

    Members
    -------
    clear : In(1)
    bytes : In(stream.Signature(crc_byte_layout()))
    crc : Out(8)
        Lowest byte of the CRC.
    match : Out(1)
        The bytes so far are a message and its CRC.
    """

    def __init__(self):
        super().__init__({
            "clear": In(1),
            "bytes": In(stream.Signature(crc_byte_layout())),
            "crc": Out(8),
            "match": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        processor = CRC32_ISO_HDLC(data_width=1).create()
        # The flip-flops' own reset is free; the processor's start input costs 25 LUT4.
        m.submodules.processor = ResetInserter(self.clear)(processor)

        # A marker above the byte walks down with it and says when it is through.
        shift = Signal(9)
        discard = Signal()
        busy = shift[1:].any()
        # The inverse of the CRC's own bit cancels the feedback: the register only shifts.
        bit = Mux(discard, ~processor.crc[0], shift[0])

        m.d.comb += [
            self.bytes.ready.eq(~busy),
            self.crc.eq(processor.crc[:8]),
            self.match.eq(processor.match_detected),
            processor.valid.eq(busy),
            processor.data.eq(bit),
        ]
        with m.If(busy):
            m.d.sync += shift.eq(shift[1:])
        with m.Elif(self.bytes.valid):
            m.d.sync += [shift.eq(self.bytes.p.byte | 1 << 8), discard.eq(self.bytes.p.discard)]
        with m.If(self.clear):
            m.d.sync += shift.eq(0)
        return m
