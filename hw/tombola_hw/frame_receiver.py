"""Receiver of the host link's frames: nothing leaves it whose CRC is wrong."""

from amaranth import Cat, Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.errors import ConfigError
from tombola.spec.link import MAX_REQUEST_WORDS, SYNC, Command
from tombola_hw.byte_crc import ByteCrc

BUFFER_BYTES = 512
"""Two banks: one is filled while the other is executed; one iCE40 block RAM."""
BANK_BITS = 8
HEADER_PLACE = 253
"""Byte of a bank where a frame begins, with its sequence number; its payload comes to byte 0."""
LEAST_TIMEOUT = 64


def check_timeout(timeout: int) -> int:
    """`timeout`, if a receiver can have it."""
    if type(timeout) is not int:
        raise TypeError(f"timeout must be an int, not {timeout!r}")
    if timeout < LEAST_TIMEOUT:
        raise ConfigError(f"timeout must be at least {LEAST_TIMEOUT} clocks, not {timeout}")
    return timeout


class FrameReceiver(wiring.Component):
    """Finds frames in bytes, stores them and checks them.

    A frame is offered 10 clocks after its last byte. Bytes must be at least 10 clocks apart; they
    cannot be held back. So the offer is no stream: the next frame takes it back, or a host could
    not reach a board whose engine does not come to an end. A frame is given up, and the next sync
    byte sought, after a wrong CRC, a count above `MAX_REQUEST_WORDS`, or `timeout` clocks without a
    byte: from any state the receiver is idle that long after the last byte, which is proven in
    tests/hw/test_link_proof.py. Golden model: `tombola.spec.link.parse`.

    Parameters
    ----------
    timeout : int
        Clocks from one byte of a frame to the next at most.

    Members
    -------
    bytes : In(stream.Signature(8, always_ready=True))
    store : In(memory.WritePort.Signature)
        Of the buffer of `BUFFER_BYTES` bytes.
    offered : Out(1)
        A sound frame lies in half `bank` of the buffer, from `HEADER_PLACE` on.
    take : In(1)
        The frame, if one is offered, is taken; it stays until the frame after the next one begins.
    bank : Out(1)
    urgent : Out(1)
        The frame offered is a RESET.
    idle : Out(1)
        The next byte may begin a frame.
    """

    def __init__(self, *, timeout: int):
        self.timeout = check_timeout(timeout)
        super().__init__({
            "bytes": In(stream.Signature(8, always_ready=True)),
            "store": In(memory.WritePort.Signature(addr_width=BANK_BITS + 1, shape=8)),
            "offered": Out(1),
            "take": In(1),
            "bank": Out(1),
            "urgent": Out(1),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = ByteCrc()
        byte, arrives = self.bytes.payload, self.bytes.valid
        place = Signal(BANK_BITS)
        count = Signal(range(MAX_REQUEST_WORDS + 1))
        silence = Signal(range(self.timeout))
        lost = silence == 0

        m.d.comb += [
            crc.bytes.p.byte.eq(byte),
            crc.bytes.valid.eq(arrives),
            self.store.addr.eq(Cat(place, self.bank)),
            self.store.data.eq(byte),
        ]
        with m.If(arrives):
            m.d.sync += [silence.eq(self.timeout - 1), place.eq(place + 1)]
        with m.Elif(~lost):
            m.d.sync += silence.eq(silence - 1)
        with m.If(self.idle):
            m.d.comb += crc.clear.eq(1)
            m.d.sync += place.eq(HEADER_PLACE)

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(1)
                with m.If(arrives & (byte == SYNC)):
                    m.next = "HEADER"
            with m.State("HEADER"):
                m.d.comb += self.store.en.eq(arrives)
                m.d.sync += count.eq(byte)
                with m.If(arrives):
                    with m.If(place == HEADER_PLACE + 1):
                        m.d.sync += self.urgent.eq(byte == Command.RESET)
                    with m.If(place == HEADER_PLACE + 2):
                        m.next = "BODY"
                        with m.If(byte > MAX_REQUEST_WORDS):
                            m.next = "IDLE"
                with m.Elif(lost):
                    m.next = "IDLE"
            with m.State("BODY"):
                m.d.comb += self.store.en.eq(arrives)
                with m.If(arrives):
                    # The CRC behind the payload is stored too: with the header it fills a bank.
                    with m.If((place[2:] == count) & place[:2].all()):
                        m.next = "CHECK"
                with m.Elif(lost):
                    m.next = "IDLE"
            with m.State("CHECK"):
                with m.If(crc.bytes.ready):
                    m.next = "IDLE"
                    with m.If(crc.match):
                        m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += [self.offered.eq(1), self.idle.eq(1)]
                with m.If(self.take):
                    m.d.sync += self.bank.eq(~self.bank)
                    m.next = "IDLE"
                with m.If(arrives & (byte == SYNC)):
                    m.next = "HEADER"

        return m
