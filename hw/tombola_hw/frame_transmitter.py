"""Transmitter of the host link's frames: puts the sync byte in front and the CRC behind."""

from amaranth import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.link import CRC_BYTES, SYNC
from tombola_hw.byte_crc import ByteCrc


def content_layout() -> data.StructLayout:
    """One byte of a frame between sync byte and CRC.

    `unsent` marks one that the CRC covers but the frame leaves out, `last` the final one.
    """
    return data.StructLayout({"byte": 8, "unsent": 1, "last": 1})


class FrameTransmitter(wiring.Component):
    """Makes the bytes of frames from their content.

    The sync byte is offered with the first byte of content; after it a byte every 9 clocks
    at most. `content` waits for `bytes`; a frame's first byte is never `unsent`. Golden model:
    `tombola.spec.link.Frame.to_bytes`.

    Members
    -------
    content : In(stream.Signature(content_layout()))
    bytes : Out(stream.Signature(8))
    """

    def __init__(self):
        super().__init__({
            "content": In(stream.Signature(content_layout())),
            "bytes": Out(stream.Signature(8)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = ByteCrc()
        sent = Signal(range(CRC_BYTES))
        sent_byte = self.content.valid & ~self.content.p.unsent
        passes = self.bytes.ready | self.content.p.unsent
        m.d.comb += crc.bytes.p.byte.eq(self.content.p.byte)

        with m.FSM():
            with m.State("SYNC"):
                m.d.comb += [
                    crc.clear.eq(1),
                    self.bytes.payload.eq(SYNC),
                    self.bytes.valid.eq(self.content.valid),
                ]
                with m.If(self.content.valid & self.bytes.ready):
                    m.next = "CONTENT"
            with m.State("CONTENT"):
                m.d.comb += [
                    self.bytes.payload.eq(self.content.p.byte),
                    self.bytes.valid.eq(sent_byte & crc.bytes.ready),
                    self.content.ready.eq(passes & crc.bytes.ready),
                    crc.bytes.valid.eq(self.content.valid & passes),
                ]
                with m.If(self.content.valid & self.content.ready & self.content.p.last):
                    m.next = "CRC"
            with m.State("CRC"):
                m.d.comb += [
                    crc.bytes.p.discard.eq(1),
                    self.bytes.payload.eq(crc.crc),
                    self.bytes.valid.eq(crc.bytes.ready),
                    crc.bytes.valid.eq(self.bytes.ready),
                ]
                with m.If(crc.bytes.ready & self.bytes.ready):
                    m.d.sync += sent.eq(sent + 1)
                    with m.If(sent == CRC_BYTES - 1):
                        m.next = "SYNC"

        return m
