"""The registers of the address map, with the run control and the error code behind them."""

from amaranth import C, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.identity import identity_words
from tombola.spec.registers import ADDRESS, DATA_BITS, REGISTERS, ErrorCode
from tombola_hw.interfaces import address_bits

ERROR_BITS = 8
COUNTERS = ("cycles", "busy_cycles", "weight_stalls", "output_stalls")

COMPACT_CYCLE_BITS = 24
"""Runs of 0.7 s at 24 MHz."""
REGISTER_BITS = len(ADDRESS).bit_length()
"""Address bits of a register; the registers begin at address 0 without gaps."""


def stored_words(config: EngineConfig) -> list[int]:
    """What the words of all registers are in memory at power-up: the constant ones, and 0.

    Parameters
    ----------
    config : EngineConfig
    """
    constants = identity_words(config)
    return [constants.get(name, 0) for name in sorted(ADDRESS, key=ADDRESS.__getitem__)]


class RegisterFile(wiring.Component):
    """Registers of window 0: one access a clock, read data two clocks after the address, or one if
    `compact`.

    What is constant or only the host changes is read from a memory, `stores.HostWords`; here are
    the registers that the engine changes. Golden model: the table
    `tombola.spec.registers.REGISTERS`.

    Parameters
    ----------
    config : EngineConfig
        A compact one counts `cycles` only, modulo 2^24.

    Members
    -------
    address, write_data
        The host's access; `write` and `read` are high for one clock each.
    live_data : Out(32)
        Read data of a register that the engine changes; else 0.
    keep : Out(1)
        The memory is to keep `write_data` at `address`.
    refused : In(1)
        A memory was touched during a run; becomes error code BUSY.
    astray : In(1)
        An access went to no existing address; becomes error code ADDRESS.
    busy, finished, unknown, foreign : In(1)
        From the sequencer.
    run, stop : Out(1)
        High for one clock to start a run, which needs `error` to be clear, to break one off.
    winner : In
        Index of the largest logit.
    counting : In(4)
        For each of `COUNTERS`, whether it counts in this clock; all restart with `run`.
    done : Out(1)
        High from the end of a run to the start of the next.
    error : Out(8)
        `ErrorCode`; the first error stays until it is cleared.
    """

    def __init__(self, config: EngineConfig):
        if not isinstance(config, EngineConfig):
            raise TypeError(f"RegisterFile config must be an EngineConfig, not {config!r}")
        self._config = config
        super().__init__({
            "address": In(REGISTER_BITS),
            "read": In(1),
            "write": In(1),
            "write_data": In(DATA_BITS),
            "live_data": Out(DATA_BITS),
            "keep": Out(1),
            "refused": In(1),
            "astray": In(1),
            "busy": In(1),
            "finished": In(1),
            "unknown": In(1),
            "foreign": In(1),
            "run": Out(1),
            "stop": Out(1),
            "winner": In(address_bits(config.result_words)),
            "counting": In(len(COUNTERS)),
            "done": Out(1),
            "error": Out(ERROR_BITS),
        })

    def elaborate(self, platform):
        m = Module()

        names, bits = COUNTERS, DATA_BITS
        if self._config.compact:
            names, bits = COUNTERS[:1], COMPACT_CYCLE_BITS
        counters = {name: Signal(bits, name=name) for name in names}
        live = {
            "status": Cat(self.busy, self.done, C(0, 6), self.error),
            "winner": self.winner,
            **counters,
        }
        start = Signal()
        clear = Signal()
        astray = Signal()
        known = {access: Signal(name=f"known_{access}") for access in "rw"}

        with m.Switch(self.address):
            for register in REGISTERS:
                with m.Case(register.address):
                    m.d.comb += [known[access].eq(1) for access in register.access]
                    if register.access == "rw":
                        m.d.comb += self.keep.eq(self.write & ~self.busy)

        # Gated words are ORed, here and by the host's side: that takes fewer cells than choosing,
        # and with a register of its own, which can be held at 0, a word is gated for nothing.
        shown = C(0, DATA_BITS)
        for name, value in live.items():
            shows = Signal(name=f"shows_{name}")
            m.d.sync += shows.eq(self.read & (self.address == ADDRESS[name]))
            gated = Mux(shows, value, 0)
            if not self._config.compact:
                late = Signal(len(value), name=f"late_{name}", reset_less=True)
                m.d.sync += late.eq(gated)
                gated = late
            shown |= gated
        m.d.comb += self.live_data.eq(shown)

        is_control = self.write & (self.address == ADDRESS["control"])
        m.d.comb += [
            start.eq(is_control & self.write_data[0]),
            clear.eq(is_control & self.write_data[1]),
            # A run is broken off by clearing its error, so that one bit decides about BUSY.
            self.stop.eq(clear & self.write_data[2]),
            self.run.eq(start & ~self.busy & (self.error == ErrorCode.NONE)),
            astray.eq(self.astray | (self.write & ~known["w"]) | (self.read & ~known["r"])),
        ]
        with m.If(self.finished | self.unknown | self.foreign):
            m.d.sync += self.done.eq(1)
        for counter, counts in zip(
            counters.values(), self.counting[: len(counters)], strict=True
        ):
            m.d.sync += counter.eq(counter + counts)
        with m.If(self.run):
            m.d.sync += self.done.eq(0)
            m.d.sync += [counter.eq(0) for counter in counters.values()]

        with m.If(clear):
            m.d.sync += self.error.eq(ErrorCode.NONE)
        with m.Elif(self.error == ErrorCode.NONE):
            with m.If(self.refused | (self.write & self.busy & ~clear)):
                m.d.sync += self.error.eq(ErrorCode.BUSY)
            with m.Elif(self.unknown):
                m.d.sync += self.error.eq(ErrorCode.OPERATION)
            with m.Elif(self.foreign):
                m.d.sync += self.error.eq(ErrorCode.FOREIGN)
            with m.Elif(astray):
                m.d.sync += self.error.eq(ErrorCode.ADDRESS)
        return m
