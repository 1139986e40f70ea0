"""Receiver of the host link's frames: nothing leaves it whose CRC is wrong."""

from amaranth import Cat, Module, Signal
from amaranth.lib import data, enum, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.errors import ConfigError
from tombola.spec.link import MAX_WORDS, SYNC, Command
from tombola_hw.byte_crc import ByteCrc

BUFFER_BYTES = 512
"""Two banks of payload and CRC: one is filled while the other is executed; one iCE40 block RAM."""
LEAST_TIMEOUT = 64


class Action(enum.Enum, shape=2):
    """What a frame asks for, as far as the hardware tells commands apart."""

    UNKNOWN = 0
    WRITE = int(Command.WRITE)
    READ = int(Command.READ)


def frame_layout() -> data.StructLayout:
    """Header of a sound frame; its payload starts at byte 0 of half `bank` of the buffer."""
    return data.StructLayout({
        "sequence": 8, "action": Action, "count": range(MAX_WORDS + 1), "bank": 1
    })


def check_timeout(timeout: int) -> int:
    """`timeout`, if a receiver can have it."""
    if type(timeout) is not int:
        raise TypeError(f"timeout must be an int, not {timeout!r}")
    if timeout < LEAST_TIMEOUT:
        raise ConfigError(f"timeout must be at least {LEAST_TIMEOUT} clocks, not {timeout}")
    return timeout


class FrameReceiver(wiring.Component):
    """Finds frames in bytes, stores their payload and checks them.

    A frame appears 10 clocks after its last byte. Bytes must be at least 10 clocks apart; they
    cannot be held back, so those that arrive while a frame waits to be taken are lost. A
    frame is given up, and the next sync byte sought, after a wrong CRC, a count above
    `MAX_WORDS`, or `timeout` clocks without a byte. Golden model: `tombola.spec.link.parse`.

    Parameters
    ----------
    timeout : int
        Clocks from one byte of a frame to the next at most.

    Members
    -------
    bytes : In(stream.Signature(8, always_ready=True))
    store : In(memory.WritePort.Signature)
        Of the buffer of `BUFFER_BYTES` bytes.
    frames : Out(stream.Signature(frame_layout()))
        The payload stays in the buffer until the frame after the next one begins.
    """

    def __init__(self, *, timeout: int):
        self.timeout = check_timeout(timeout)
        super().__init__({
            "bytes": In(stream.Signature(8, always_ready=True)),
            "store": In(memory.WritePort.Signature(addr_width=9, shape=8)),
            "frames": Out(stream.Signature(frame_layout())),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = ByteCrc()
        byte, arrives = self.bytes.payload, self.bytes.valid
        frame = self.frames.p
        index = Signal(8)
        silence = Signal(range(self.timeout))
        lost = silence == 0

        m.d.comb += [
            crc.bytes.p.byte.eq(byte),
            crc.bytes.valid.eq(arrives),
            # The CRC behind the payload is stored too: 63 words and a CRC fill a bank exactly.
            self.store.addr.eq(Cat(index, frame.bank)),
            self.store.data.eq(byte),
        ]
        with m.If(arrives):
            m.d.sync += silence.eq(self.timeout - 1)
        with m.Elif(~lost):
            m.d.sync += silence.eq(silence - 1)

        with m.FSM():
            with m.State("SYNC"):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += index.eq(0)
                with m.If(arrives & (byte == SYNC)):
                    m.next = "SEQUENCE"
            with m.State("SEQUENCE"):
                m.d.sync += frame.sequence.eq(byte)
                with m.If(arrives):
                    m.next = "COMMAND"
                with m.Elif(lost):
                    m.next = "SYNC"
            with m.State("COMMAND"):
                m.d.sync += frame.action.eq(Action.UNKNOWN)
                with m.Switch(byte):
                    for command in (Command.WRITE, Command.READ):
                        with m.Case(command):
                            m.d.sync += frame.action.eq(command)
                with m.If(arrives):
                    m.next = "COUNT"
                with m.Elif(lost):
                    m.next = "SYNC"
            with m.State("COUNT"):
                m.d.sync += frame.count.eq(byte)
                with m.If(arrives):
                    m.next = "BODY"
                    with m.If(byte > MAX_WORDS):
                        m.next = "SYNC"
                with m.Elif(lost):
                    m.next = "SYNC"
            with m.State("BODY"):
                m.d.comb += self.store.en.eq(arrives)
                with m.If(arrives):
                    m.d.sync += index.eq(index + 1)
                    with m.If((index[2:] == frame.count) & index[:2].all()):
                        m.next = "CHECK"
                with m.Elif(lost):
                    m.next = "SYNC"
            with m.State("CHECK"):
                with m.If(crc.bytes.ready):
                    m.next = "SYNC"
                    with m.If(crc.match):
                        m.next = "DELIVER"
            with m.State("DELIVER"):
                m.d.comb += self.frames.valid.eq(1)
                with m.If(self.frames.ready):
                    m.d.sync += frame.bank.eq(~frame.bank)
                    m.next = "SYNC"

        return m
