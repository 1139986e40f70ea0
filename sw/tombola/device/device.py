"""A board that runs tickets: connect to it, load a ticket, infer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np

from tombola.compiler.program import Program, compile_ticket
from tombola.device import loader
from tombola.device.link import Link
from tombola.device.request import Request, Statistics
from tombola.device.results import (
    COUNTER_REGISTERS,
    COUNTERS,
    RUN_REGISTERS,
    Info,
    Results,
    check_run,
    engine_config,
)
from tombola.device.transport import Transport
from tombola.spec.errors import DeviceError
from tombola.spec.identity import NAMES
from tombola.spec.link import MAX_WORDS, Command
from tombola.spec.registers import ADDRESS, START
from tombola.spec.ticket import Ticket

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""


@dataclass(kw_only=True)
class Run:
    """The requests of one inference that have answers."""

    wait: Request
    logits: list[Request] = field(default_factory=list)


class Device:
    """A board behind a transport; made by `tombola.device.connect`.

    Every method raises `DeviceError`, with what to check, if the board does not answer as it
    should. The device can be used again after that: the next call resets the link first.

    Parameters
    ----------
    transport : Transport
        Closed with the device.
    board : str, optional
        Name of the board, where known.
    link : Link, optional
        For tests; on `transport` if not given.
    """

    def __init__(
        self, transport: Transport, *, board: str | None = None, link: Link | None = None
    ) -> None:
        self._transport = transport
        self._link = link or Link(transport)
        self._program: Program | None = None
        self._sound = False
        with _Guard(self):
            read = self._link.send(Command.READ, ADDRESS["identity"], len(NAMES))
            self._link.finish(read)
        self._info = Info(
            address=transport.name,
            board=board,
            version=read.words[ADDRESS["version"]],
            config=engine_config(read.words, transport.name),
        )

    @property
    def info(self) -> Info:
        """What is connected."""
        return self._info

    @property
    def program(self) -> Program | None:
        """What is loaded, compiled for this engine."""
        return self._program

    @property
    def statistics(self) -> Statistics:
        """What the link has done so far."""
        return self._link.statistics

    def clock(self) -> float:
        """Seconds since some moment; of a virtual board in its own time, as if it were real."""
        return self._transport.clock()

    def load(
        self, ticket: Ticket, *, force: bool = False, progress: Progress | None = None
    ) -> Program:
        """Compiles a ticket for this engine, writes it and verifies it on the chip.

        What the board has already, from an earlier load or from its bitstream, is only verified:
        `tombola.device.loader.holds` tells how.

        Parameters
        ----------
        ticket : Ticket
        force : bool
            Write it in any case.
        progress : callable, optional
            Called with words that are written, and words in all; not at all if none is.

        Raises
        ------
        FitError
            If this engine cannot run it; nothing was sent then, and what was loaded stays.
        DeviceError
        """
        program = compile_ticket(ticket, self._info.config)
        with _Guard(self):
            self._program = None
            if force or not loader.holds(self._link, program):
                loader.load(self._link, program, self._info.address, progress or _quiet)
            self._link.send(Command.WRITE, ADDRESS["mark"], loader.mark(program))
            self._link.finish()
            self._program = program
        self._link.timing.expect_run(program.cycles)
        return program

    def infer(self, images: np.ndarray, *, progress: Progress | None = None) -> Results:
        """Runs images through the network, one after the other.

        While the engine runs, the activation memory is its own: the board keeps one request of the
        next image until the run is over. All others are on their way while answers come.

        Parameters
        ----------
        images : uint8 array (batch, ...)
            As `tombola.spec.reference.input_tensor` takes them.
        progress : callable, optional
            Called with images that are done, and images in all.

        Raises
        ------
        ConfigError
            If the images do not fit the ticket.
        DeviceError
        """
        program = self._program
        if program is None:
            raise DeviceError("no ticket is loaded; call load(ticket) before infer(images)")
        progress = progress or _quiet
        logits = np.zeros((len(images), program.tensors[-1].values), dtype=np.int64)
        cycles = np.zeros(len(images), dtype=np.int64)
        with _Guard(self):
            for index, run in enumerate(self._runs(program, images)):
                logits[index], cycles[index] = self._result(program, run)
                progress(index + 1, len(images))
        return Results(logits=logits, classes=logits.argmax(axis=1), latency_cycles=cycles)

    def _runs(self, program: Program, images: np.ndarray) -> Iterator[Run]:
        """Starts a run for each image and hands out those whose answers have all come."""
        before: Run | None = None
        for writes in program.image_writes(images):
            first, *others = (each for part in writes for each in loader.requests(*part))
            # While a run is under way the board keeps one request, which is done behind it.
            self._link.send(Command.WRITE, *first)
            if before is not None:
                before.logits += self._read_results(program)
            for request in others:
                self._link.send(Command.WRITE, *request)
            if before is not None:
                # A run overwrites the results of the one before: those must be here.
                self._link.finish(before.wait, *before.logits)
            self._link.send(Command.WRITE, ADDRESS["control"], START)
            wait = self._link.send(Command.WAIT, ADDRESS["status"], RUN_REGISTERS)
            if before is not None:
                yield before
            before = Run(wait=wait)
        if before is not None:
            before.logits += self._read_results(program)
            self._link.finish()
            yield before

    def _read_results(self, program: Program) -> list[Request]:
        address, count = program.result_words
        return [
            self._link.send(Command.READ, address + at, min(MAX_WORDS, count - at))
            for at in range(0, count, MAX_WORDS)
        ]

    def _result(self, program: Program, run: Run) -> tuple[np.ndarray, int]:
        after = check_run(run.wait.words, self._info.address)
        if after.mark != loader.mark(program):
            raise DeviceError(
                f"the engine at {self._info.address} runs another program than was loaded; is "
                "another program using this board? Load the ticket again"
            )
        words = np.array([word for part in run.logits for word in part.words], dtype=np.uint32)
        in_order = program.logits_from_words(words)
        if in_order[after.winner : after.winner + 1].tolist() != [in_order.max()]:
            raise DeviceError(
                f"class and logits from {self._info.address} contradict each other; load the "
                "ticket again"
            )
        logits = program.tensor_from_words(program.layer_count, words).reshape(-1)
        return logits, after.cycles

    @property
    def counters(self) -> dict[str, int]:
        """The engine's counters of the last run, by name, as `tombola.spec.registers` has them."""
        with _Guard(self):
            read = self._link.send(Command.READ, ADDRESS["cycles"], COUNTER_REGISTERS)
            self._link.finish(read)
        return dict(zip(COUNTERS, read.words, strict=True))

    def reset(self) -> None:
        """Ends a run under way and clears the engine's error; what is loaded stays."""
        self._sound = False
        with _Guard(self):
            pass

    def close(self) -> None:
        """Gives the port back, and ends a virtual board."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Guard:
    """Starts from a known state of the link, and remembers if it was left in an unknown one."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def __enter__(self) -> None:
        device = self._device
        if not device._sound:
            device._link.reset()
        device._sound = False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._device._sound = error is None


def _quiet(done: int, total: int) -> None:
    """No progress is shown."""
