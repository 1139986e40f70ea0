"""The serial host wrapper: a UART and the frames of `tombola.spec.link` around the host bus."""

from amaranth import Module
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tombola.spec.link import LEAST_DIVISOR
from tombola_hw.bus import request_layout, response_shape
from tombola_hw.frame_executor import FrameExecutor
from tombola_hw.frame_receiver import BUFFER_BYTES, FrameReceiver, check_timeout
from tombola_hw.frame_transmitter import FrameTransmitter
from tombola_hw.interfaces import NO_COLLISIONS
from tombola_hw.uart import UartReceiver, UartTransmitter, check_divisor


class HostLink(wiring.Component):
    """Serves the host bus to a host at the other end of a serial line.

    Receives one frame while it executes another, so a host may have two requests under way. The
    bus must take every request and answer every read within a bounded time; then no input on `rx`
    can hang the link: see `FrameReceiver` for how it finds its way back. Only WAIT may take long,
    and a RESET ends it. Golden model: `tombola.spec.link`.

    Parameters
    ----------
    divisor : int
        Clocks a bit of the serial line; at least 8, see `tombola.spec.link.busy_bytes`.
    timeout : int
        Clocks after which a frame without a further byte is given up.

    Members
    -------
    rx : In(1)
    tx : Out(1)
    requests : Out(stream.Signature(request_layout()))
    responses : In(stream.Signature(response_shape()))
    """

    def __init__(self, *, divisor: int, timeout: int):
        self.divisor = check_divisor(divisor, least=LEAST_DIVISOR)
        self.timeout = check_timeout(timeout)
        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "requests": Out(stream.Signature(request_layout())),
            "responses": In(stream.Signature(response_shape())),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.uart_rx = uart_rx = UartReceiver(self.divisor)
        m.submodules.uart_tx = uart_tx = UartTransmitter(self.divisor)
        m.submodules.receiver = receiver = FrameReceiver(timeout=self.timeout)
        m.submodules.executor = executor = FrameExecutor()
        m.submodules.transmitter = transmitter = FrameTransmitter()
        m.submodules.buffer = buffer = memory.Memory(
            shape=8, depth=BUFFER_BYTES, init=[], attrs=NO_COLLISIONS
        )

        m.d.comb += [uart_rx.line.eq(self.rx), self.tx.eq(uart_tx.line)]
        connect(m, uart_rx.bytes, receiver.bytes)
        connect(m, receiver.store, buffer.write_port())
        m.d.comb += [
            executor.offered.eq(receiver.offered),
            executor.bank.eq(receiver.bank),
            executor.urgent.eq(receiver.urgent),
            receiver.take.eq(executor.take),
        ]
        connect(m, buffer.read_port(), executor.load)
        connect(m, executor.requests, flipped(self.requests))
        connect(m, flipped(self.responses), executor.responses)
        connect(m, executor.content, transmitter.content)
        connect(m, transmitter.bytes, uart_tx.bytes)
        return m
