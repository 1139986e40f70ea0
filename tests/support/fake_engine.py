"""An engine's address map in Python: memories, registers, and runs by the integer reference."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tombola.compiler import compile_ticket
from tombola.spec import descriptor, reference
from tombola.spec.engine import EngineConfig
from tombola.spec.identity import fingerprint, identity_words
from tombola.spec.registers import ADDRESS, REGISTERS, ErrorCode, Window
from tombola.spec.ticket import Ticket

WRITABLE = {register.address for register in REGISTERS if register.access == "rw"}
CLOCK_HZ = 24_000_000


class FakeEngine:
    """Runs those tickets that it knows, if their images are in its memories bit for bit."""

    def __init__(
        self, config: EngineConfig, tickets: list[Ticket], clock: Callable[[], float] = lambda: 0.0
    ):
        self.clock, self.config = clock, config
        self.programs = [compile_ticket(ticket, config) for ticket in tickets]
        unit = min(4, config.lanes)
        depths = {
            Window.TICKET: config.ticket_words,
            Window.TABLE: 2 * config.table_entries,
            Window.ACTIVATIONS: config.activation_words * config.lanes // unit,
            Window.RESULTS: config.result_words,
        }
        self._depths = depths
        self.power_up()
        self.runs = 0
        self.endless = False
        self._known: dict[tuple[int, bytes], np.ndarray] = {}

    def power_up(self):
        """Everything is as it is when power comes."""
        self.memories = {w: np.zeros(depth, np.uint32) for w, depth in self._depths.items()}
        self.registers = dict.fromkeys((register.address for register in REGISTERS), 0)
        self.set(**identity_words(self.config))
        self.done, self.error, self.ends = False, ErrorCode.NONE, 0.0

    def set(self, **values: int):
        """Sets registers by name."""
        for name, value in values.items():
            self.registers[ADDRESS[name]] = value

    @property
    def busy(self) -> bool:
        return self.clock() < self.ends

    def _fail(self, code: ErrorCode):
        self.error = self.error or code

    def read(self, address: int) -> int:
        """A word, as the host sees it."""
        if address < Window.TICKET.base:
            if address == ADDRESS["status"]:
                done = self.done and not self.busy
                return int(self.busy) | done << 1 | self.error << 8
            return self.registers.get(address, 0)
        assert address >> 20 != Window.TABLE, "the table is write-only"
        if self.busy:
            self._fail(ErrorCode.BUSY)
            return 0
        if not self._exists(address):
            self._fail(ErrorCode.ADDRESS)
            return 0
        return int(self.memories[Window(address >> 20)][address & 0xFFFFF])

    def _exists(self, address: int) -> bool:
        window = address >> 20
        return window in self.memories and address & 0xFFFFF < self._depths[Window(window)]

    def write(self, address: int, word: int) -> None:
        """Writes a word."""
        if address == ADDRESS["control"]:
            if word & 2:
                self.error = ErrorCode.NONE
            if word & 4:
                self.ends = 0.0
            if word & 1:
                self._start()
        elif self.busy:
            self._fail(ErrorCode.BUSY)
        elif address in WRITABLE:
            self.registers[address] = word
        elif address >> 20 == Window.RESULTS or not self._exists(address):
            self._fail(ErrorCode.ADDRESS)
        else:
            self.memories[Window(address >> 20)][address & 0xFFFFF] = word

    def _start(self):
        if self.error:
            return
        self.runs += 1
        self.done = True
        for program in self.programs:
            if self._holds(program):
                break
        else:
            self._fail(ErrorCode.FOREIGN if self._is_foreign() else ErrorCode.OPERATION)
            return
        logits = self._infer(program)
        order = np.asarray(logits).transpose(1, 2, 0).reshape(-1)
        self.memories[Window.RESULTS][: order.size] = order.astype(np.int32).view(np.uint32)
        self.set(
            winner=int(order.argmax()), cycles=program.cycles, busy_cycles=program.cycles // 2,
            weight_stalls=3, output_stalls=4,
        )  # fmt: skip
        # What a run leaves in place of its image, so that a second one would read it.
        [(base, words)] = program.tensor_ranges(0)
        self.memories[Window.ACTIVATIONS][base & 0xFFFFF :][:words] ^= 0x01020304
        self.ends = self.clock() + (1e9 if self.endless else program.cycles / CLOCK_HZ)

    def _is_foreign(self) -> bool:
        form = self.config.descriptor
        words = self.memories[Window.TICKET][descriptor.FIRST :][: form.words]
        fields = form.unpack(words.tolist())
        known = fields["operation"] in set(descriptor.Operation)
        return known and fields["engine"] != fingerprint(self.config)

    def _holds(self, program) -> bool:
        for address, words in program.writes:
            held = self.memories[Window(address >> 20)][address & 0xFFFFF :][: words.size]
            if not np.array_equal(held, words):
                return False
        return True

    def _infer(self, program) -> np.ndarray:
        [(base, count)] = program.tensor_ranges(0)
        words = self.memories[Window.ACTIVATIONS][base & 0xFFFFF :][:count]
        key = (id(program), words.tobytes())
        if key not in self._known:
            self._known[key] = self._logits(program, words)
        return self._known[key]

    def _logits(self, program, words) -> np.ndarray:
        values = program.tensor_from_words(0, words)
        # The memory holds values behind the input table: undo it with a table that has them all.
        ticket = program.ticket
        low, high = ticket.input.type.range
        table = np.clip(np.arange(256) + low, low, high).astype(np.int16)
        plain = replace(ticket, input=replace(ticket.input, table=table[None]))
        images = (values - low).clip(0, 255).astype(np.uint8)[None]
        return reference.infer(plain, images)[-1][0]
