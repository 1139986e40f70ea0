"""The host's side of the engine: requests of the bus to registers and memory windows."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.registers import ADDRESS_BITS, DATA_BITS, WINDOW_BITS, Window
from tombola_hw.bus import request_layout, response_shape
from tombola_hw.register_file import REGISTER_BITS


class HostAccess(wiring.Component):
    """Decodes bus requests: a write a clock, a read every third clock, or fifth if not `compact`.

    Memories see one-clock accesses: address and `*_write` in the clock of the request, or in the
    next one if not `compact`, read data one clock later. During a run memories belong to the
    engine: accesses to them are refused, registers are read as ever. Reads that find nothing answer
    0. Back-pressure: requests wait while an answer is not taken.

    Members
    -------
    requests : In(stream.Signature(request_layout()))
    responses : Out(stream.Signature(response_shape()))
    busy : In(1)
        A run is under way.
    address, window : Out(20), Out(4)
        Word in the window; valid for all the strobes and reads below.
    write_data : Out(32)
    register_read, register_write, ticket_write, table_write, activation_write : Out(1)
    ticket_data : In(32)
    stored_data, activation_data, live_data : In(32)
        Results and constant registers; activations; registers that the engine changes. Each is 0
        after an address that is not its own. The last two come a clock later if not `compact`.
    refused, astray : Out(1)
        A memory access during a run; an access outside every memory.
    """

    def __init__(self, config: EngineConfig):
        if not isinstance(config, EngineConfig):
            raise TypeError(f"HostAccess config must be an EngineConfig, not {config!r}")
        self._config = config
        unit = min(4, config.lanes)
        self._depths = {
            Window.REGISTERS: 1 << REGISTER_BITS,
            Window.TICKET: config.ticket_words,
            Window.TABLE: 2 * config.table_entries,
            Window.ACTIVATIONS: config.pixels * config.activation_words * config.lanes // unit,
            Window.RESULTS: config.result_words,
        }
        super().__init__({
            "requests": In(stream.Signature(request_layout())),
            "responses": Out(stream.Signature(response_shape())),
            "busy": In(1),
            "address": Out(WINDOW_BITS),
            "window": Out(ADDRESS_BITS - WINDOW_BITS),
            "write_data": Out(DATA_BITS),
            "register_read": Out(1),
            "register_write": Out(1),
            "ticket_write": Out(1),
            "table_write": Out(1),
            "activation_write": Out(1),
            "ticket_data": In(DATA_BITS),
            "activation_data": In(DATA_BITS),
            "live_data": In(DATA_BITS),
            "stored_data": In(DATA_BITS),
            "refused": Out(1),
            "astray": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        request = self.requests.payload
        accepted = Signal()
        exists = Signal()
        from_ticket = Signal()
        found = Signal()
        reading = Signal()

        m.d.comb += accepted.eq(self.requests.valid & self.requests.ready)
        writes = {
            Window.REGISTERS: self.register_write,
            Window.TICKET: self.ticket_write,
            Window.TABLE: self.table_write,
            Window.ACTIVATIONS: self.activation_write,
        }
        readable = (Window.REGISTERS, Window.TICKET, Window.ACTIVATIONS, Window.RESULTS)
        window = request.address[WINDOW_BITS:]
        with m.Switch(window):
            for each, depth in self._depths.items():
                with m.Case(each):
                    index = request.address[:WINDOW_BITS]
                    outside = index[(depth - 1).bit_length() :]
                    inside = ~outside.any() if len(outside) else 1
                    if depth & (depth - 1):
                        inside = index < depth
                    permitted = Mux(request.write, int(each in writes), int(each in readable))
                    m.d.comb += exists.eq(inside & permitted)

        # Where there are cells for it, an address is decoded a clock before the access.
        early = "comb" if self._config.compact else "sync"
        access, there, write, is_memory = Signal(), Signal(), Signal(), Signal()
        reads_register = Signal()
        m.d[early] += [
            access.eq(accepted),
            reads_register.eq(
                accepted & exists & ~request.write & (window == Window.REGISTERS)
            ),
        ]
        fields = [
            there.eq(exists),
            write.eq(request.write),
            is_memory.eq(window != Window.REGISTERS),
            self.address.eq(request.address[:WINDOW_BITS]),
            self.window.eq(window),
            self.write_data.eq(request.data),
        ]
        if self._config.compact:
            m.d.comb += fields
        else:
            with m.If(accepted):
                m.d.sync += fields
        m.d.comb += [
            self.refused.eq(access & is_memory & self.busy),
            self.astray.eq(access & ~there & ~(is_memory & self.busy)),
        ]
        for each, strobe in writes.items():
            chosen = Signal(name=f"writes_{each.name.lower()}")
            m.d[early] += chosen.eq(accepted & exists & request.write & (window == each))
            free = 1 if each is Window.REGISTERS else ~self.busy
            m.d.comb += strobe.eq(chosen & free)
        arriving = 0 if self._config.compact else access & ~write
        m.d.comb += [
            self.requests.ready.eq(~arriving & ~reading & ~self.responses.valid),
            self.register_read.eq(reads_register),
        ]

        with m.If(access & ~write):
            m.d.sync += [
                reading.eq(1),
                found.eq(there & ~(is_memory & self.busy)),
                from_ticket.eq(self.window == Window.TICKET),
            ]
        ticket, stored = Mux(from_ticket, self.ticket_data, 0), self.stored_data
        answering = reading
        if not self._config.compact:
            # A block RAM's data come late in the clock, and from all over a large part. Registers
            # can be held at 0, so that choosing costs nothing.
            answering = Signal()
            m.d.sync += answering.eq(reading & ~answering)
            late_ticket, late_stored = (
                Signal(DATA_BITS, name=f"late_{name}", reset_less=True)
                for name in ("ticket", "stored")
            )
            m.d.sync += [late_ticket.eq(ticket), late_stored.eq(stored)]
            ticket, stored = late_ticket, late_stored
        answer = Signal(DATA_BITS, reset_less=True)
        m.d.comb += self.responses.payload.eq(answer)
        with m.If(answering):
            m.d.sync += [reading.eq(0), self.responses.valid.eq(1), answer.eq(0)]
            with m.If(found):
                m.d.sync += answer.eq(ticket | stored | self.activation_data | self.live_data)
        with m.If(self.responses.valid & self.responses.ready):
            m.d.sync += self.responses.valid.eq(0)
        return m
