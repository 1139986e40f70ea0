"""The registers of the address map, with the run control and the error code behind them."""

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.registers import (
    ADDRESS,
    DATA_BITS,
    IDENTITY,
    REGISTERS,
    VERSION,
    WINDOW_BITS,
    ErrorCode,
)
from tombola_hw.interfaces import address_bits
from tombola_hw.sequencer import LAYER_COUNT_BITS

ERROR_BITS = 8
COUNTERS = ("cycles", "busy_cycles", "weight_stalls", "output_stalls")


class RegisterFile(wiring.Component):
    """Registers of window 0: one access a clock, read data one clock after the address.

    Golden model: the table `tombola.spec.registers.REGISTERS`.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    address, read_data, write_data
        The host's access; `write` and `read` are high for one clock each.
    refused : In(1)
        A memory was touched during a run; becomes error code BUSY.
    astray : In(1)
        An access went to no existing address; becomes error code ADDRESS.
    busy, finished, unknown : In(1)
        From the sequencer.
    run, stop : Out(1)
        High for one clock to start a run, to break one off.
    program, layers, seed : Out
        Values written by the host.
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
            "address": In(WINDOW_BITS),
            "read": In(1),
            "write": In(1),
            "write_data": In(DATA_BITS),
            "read_data": Out(DATA_BITS),
            "refused": In(1),
            "astray": In(1),
            "busy": In(1),
            "finished": In(1),
            "unknown": In(1),
            "run": Out(1),
            "stop": Out(1),
            "program": Out(address_bits(config.ticket_words)),
            "layers": Out(LAYER_COUNT_BITS),
            "seed": Out(64),
            "winner": In(address_bits(config.result_words)),
            "counting": In(len(COUNTERS)),
            "done": Out(1),
            "error": Out(ERROR_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        config = self._config

        counters = [Signal(DATA_BITS, name=name) for name in COUNTERS]
        writable = {
            "program": self.program,
            "layers": self.layers,
            "seed_low": self.seed[:32],
            "seed_high": self.seed[32:],
        }
        readable = {
            **writable,
            "identity": Const(IDENTITY, DATA_BITS),
            "version": Const(VERSION, DATA_BITS),
            "geometry": Const(config.rows | config.lanes << 16, DATA_BITS),
            "construction": Const(config.construction | config.accumulator_bits << 16, DATA_BITS),
            "weight_lines": Const(config.weight_lines, DATA_BITS),
            "activation_words": Const(
                config.activation_words | config.activation_banks << 24, DATA_BITS
            ),
            "ticket_words": Const(config.ticket_words, DATA_BITS),
            "table_entries": Const(config.table_entries, DATA_BITS),
            "result_words": Const(config.result_words, DATA_BITS),
            "status": Cat(self.busy, self.done, Const(0, 6), self.error),
            "winner": self.winner,
            **dict(zip(COUNTERS, counters, strict=True)),
        }
        start = Signal()
        clear = Signal()
        astray = Signal()
        known = {access: Signal(name=f"known_{access}") for access in "rw"}
        index = self.address[: len(ADDRESS).bit_length()]

        with m.If(self.address < max(ADDRESS.values()) + 1):
            with m.Switch(index):
                for register in REGISTERS:
                    with m.Case(register.address):
                        m.d.comb += [known[access].eq(1) for access in register.access]
                        if register.name in readable:
                            m.d.sync += self.read_data.eq(readable[register.name])
                        with m.If(self.write & ~self.busy):
                            if register.name in writable:
                                m.d.sync += writable[register.name].eq(self.write_data)

        is_control = self.write & (self.address == ADDRESS["control"])
        m.d.comb += [
            start.eq(is_control & self.write_data[0]),
            clear.eq(is_control & self.write_data[1]),
            # A run is broken off by clearing its error, so that one bit decides about BUSY.
            self.stop.eq(clear & self.write_data[2]),
            self.run.eq(start & ~self.busy & (self.layers != 0)),
            astray.eq(self.astray | (self.write & ~known["w"]) | (self.read & ~known["r"])),
        ]
        with m.If(self.finished | self.unknown):
            m.d.sync += self.done.eq(1)
        for counter, counts in zip(counters, self.counting, strict=True):
            m.d.sync += counter.eq(counter + counts)
        with m.If(self.run):
            m.d.sync += self.done.eq(0)
            m.d.sync += [counter.eq(0) for counter in counters]

        with m.If(clear):
            m.d.sync += self.error.eq(ErrorCode.NONE)
        with m.Elif(self.error == ErrorCode.NONE):
            with m.If(self.refused | (self.write & self.busy & ~clear)):
                m.d.sync += self.error.eq(ErrorCode.BUSY)
            with m.Elif(self.unknown):
                m.d.sync += self.error.eq(ErrorCode.OPERATION)
            with m.Elif(astray):
                m.d.sync += self.error.eq(ErrorCode.ADDRESS)
            with m.Elif(start & (self.layers == 0)):
                m.d.sync += self.error.eq(ErrorCode.NO_LAYERS)
        return m
