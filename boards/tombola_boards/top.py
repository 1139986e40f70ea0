"""The top level of every board: engine and serial link, and the glue that puts them on pins."""

from amaranth import Elaboratable, Module
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In, Out, connect

from tombola.spec.engine import EngineConfig
from tombola.spec.power_up import PowerUp
from tombola_boards.board import Board, Family
from tombola_hw.engine import Engine
from tombola_hw.link import HostLink
from tombola_hw.mac_row import MacRow
from tombola_hw.mac_row_ecp5 import Ecp5MacRow

LINK_TIMEOUT_SECONDS = 10e-3
"""Longest pause inside a frame; USB serial adapters deliver a frame's bytes within a few ms."""


class SerialEngine(wiring.Component):
    """An engine behind a serial line: what is the same on every board, the virtual one included.

    Parameters
    ----------
    config : EngineConfig
    divisor, timeout : int
        Of the serial link, in clocks; see `HostLink`.
    engine_options : dict
        Further parameters of `Engine`, such as `spram` and `power_up`.

    Members
    -------
    rx, tx
        Serial line.
    ready, busy, error : Out(1)
        For lamps: ready is neither busy nor in error.
    """

    def __init__(self, config: EngineConfig, *, divisor: int, timeout: int, engine_options=None):
        self._config, self._engine_options = config, engine_options or {}
        self._link = {"divisor": divisor, "timeout": timeout}
        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "ready": Out(1),
            "busy": Out(1),
            "error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.engine = engine = Engine(self._config, **self._engine_options)
        m.submodules.link = link = HostLink(**self._link)
        connect(m, link.requests, engine.requests)
        connect(m, engine.responses, link.responses)
        m.d.comb += [
            link.rx.eq(self.rx),
            self.tx.eq(link.tx),
            self.busy.eq(engine.busy),
            self.error.eq(engine.error != 0),
            self.ready.eq(~self.busy & ~self.error),
        ]
        return m


def serial_engine(
    board: Board, config: EngineConfig | None = None, *, power_up: PowerUp | None = None
) -> SerialEngine:
    """What a board holds besides its clock and pins.

    Parameters
    ----------
    board : Board
    config : EngineConfig, optional
        In place of the board's own.
    power_up : PowerUp, optional
        A ticket that the board is to have without a host.
    """
    config = config or board.config
    chained = board.family is Family.ECP5 and config.unsigned_sums
    return SerialEngine(
        config,
        divisor=board.divisor,
        timeout=int(LINK_TIMEOUT_SECONDS * board.clock_hz),
        engine_options={
            "spram": board.spram,
            "pipelined": board.pipelined,
            "layer_dsps": max(0, board.layer_dsps - (0 if config.short_totals else 2)),
            "row": Ecp5MacRow if chained else MacRow,
            "power_up": power_up,
        },
    )


class BoardTop(Elaboratable):
    """A serial engine on the pins of its board; has no ports of its own.

    Parameters
    ----------
    board : Board
    core : Component
        With the members of `SerialEngine`.
    """

    def __init__(self, board: Board, core: wiring.Component):
        self._board, self._core = board, core

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self._core
        lines = [line.name for line in platform.lookup("uart", 0).ios]
        serial = platform.request("uart", 0, dir=dict.fromkeys(lines, "-"))
        m.submodules.rx = rx = io.Buffer("i", serial.rx)
        m.submodules.tx = tx = io.Buffer("o", serial.tx)
        m.d.comb += [core.rx.eq(rx.i), tx.o.eq(core.tx)]
        for state, (resource, number) in self._board.leds.items():
            led = io.Buffer("o", platform.request(resource, number, dir="-"))
            m.submodules[f"{state}_led"] = led
            m.d.comb += led.o.eq(getattr(core, state))
        return m
