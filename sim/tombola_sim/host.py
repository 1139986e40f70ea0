"""What a host does on the engine's bus to run a ticket, as scripts, and what the answers mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tombola.spec import identity
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ToolError
from tombola.spec.registers import ADDRESS, ErrorCode
from tombola_sim.script import Script

COUNTERS = ("cycles", "busy_cycles", "weight_stalls", "output_stalls")
START = 1
DONE_BIT = 1
LIMIT_FACTOR = 8
LIMIT_MARGIN = 20_000
"""A run may take `LIMIT_FACTOR` times the estimate and this many clocks more, then it hangs."""

Writes = list[tuple[int, np.ndarray]]


class Program(Protocol):
    """What the bench needs of a `tombola.compiler.program.Program`."""

    @property
    def config(self) -> EngineConfig: ...
    @property
    def writes(self) -> Writes: ...
    @property
    def layer_count(self) -> int: ...
    @property
    def macs(self) -> int: ...
    @property
    def cycles(self) -> int: ...
    def stop_after(self, layers: int) -> Writes: ...
    def tensor_ranges(self, tensor: int) -> list[tuple[int, int]]: ...
    def tensor_from_words(self, tensor: int, words: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True, kw_only=True)
class Inference:
    """What one run left in the engine.

    Attributes
    ----------
    tensor : int64 array (channels, height, width)
        Output of the last layer that ran.
    winner : int
        The engine's own index of the largest logit.
    counters : dict
        `COUNTERS` by name.
    """

    tensor: np.ndarray
    winner: int
    counters: Mapping[str, float]

    def apart(self, batch: int) -> list["Inference"]:
        """One for each image of a run of so many, with its share of the clocks.

        The winner of several is not the engine's, which is of all their logits.
        """
        if batch == 1:
            return [self]
        shares = {name: count / batch for name, count in self.counters.items()}
        tensors = (of_image(self.tensor, index, batch) for index in range(batch))
        return [
            Inference(tensor=tensor, winner=int(tensor.argmax()), counters=shares)
            for tensor in tensors
        ]


def of_image(tensor: np.ndarray, image: int, batch: int) -> np.ndarray:
    """The rows of one image of a batch, whose images lie below each other."""
    rows = tensor.shape[1] // batch
    return tensor[:, image * rows : (image + 1) * rows]


class Host:
    """Makes scripts for one program and reads their words.

    Parameters
    ----------
    program : Program
    """

    IDENTITY_REGISTERS = identity.NAMES

    def __init__(self, program: Program) -> None:
        self._program = program

    @property
    def clock_limit(self) -> int:
        """Clocks after which a run counts as hanging."""
        return LIMIT_FACTOR * self._program.cycles + LIMIT_MARGIN

    def load(self) -> Script:
        """Asks the engine what it is, and writes all that stays for the session."""
        script = Script()
        for name in self.IDENTITY_REGISTERS:
            script.read(ADDRESS[name])
        for address, words in self._program.writes:
            script.write(address, words)
        return script

    def check_identity(self, words: np.ndarray) -> None:
        """Refuses an engine that is not the one the program was compiled for.

        Raises
        ------
        ToolError
            With the register, what it should be and what it is.
        """
        expected = identity.identity_words(self._program.config)
        for (name, want), got in zip(expected.items(), words.tolist(), strict=True):
            if want != got:
                raise ToolError(
                    f"the Verilog is not of the engine that design.json describes: register {name} "
                    f"must be {want:#x}, not {got:#x}; generate it again: tombola rtl"
                )

    def infer(self, image_writes: Writes, *, layers: int | None = None) -> Script:
        """Writes an image, runs the first `layers` layers (all by default), reads what came out."""
        program = self._program
        script = Script()
        for address, words in image_writes:
            script.write(address, words)
        if layers is not None:
            for address, words in program.stop_after(layers):
                script.write(address, words)
        script.write(ADDRESS["control"], START)
        script.wait(self.clock_limit)
        for name in ("status", "winner", *COUNTERS):
            script.read(ADDRESS[name])
        tensor = program.layer_count if layers is None else layers
        for address, count in program.tensor_ranges(tensor):
            script.read(address, count)
        return script

    def answer(self, words: np.ndarray, *, layers: int | None = None) -> Inference:
        """The words that an `infer` script read.

        Raises
        ------
        ToolError
            If the engine reports an error or did not finish.
        """
        status, winner, *counters = words[: 2 + len(COUNTERS)].tolist()
        check_status(status)
        count = self._program.layer_count if layers is None else layers
        return Inference(
            tensor=self._program.tensor_from_words(count, words[2 + len(COUNTERS) :]),
            winner=winner,
            counters=dict(zip(COUNTERS, counters, strict=True)),
        )


def check_status(status: int) -> None:
    """Raises a `ToolError` with the error's name unless the run ended well."""
    code = status >> 8 & 0xFF
    if code:
        try:
            name = ErrorCode(code).name.lower()
        except ValueError:
            name = "of no name"
        raise ToolError(f"the engine reports error {code} ({name})")
    if not status >> DONE_BIT & 1:
        raise ToolError(f"the engine stopped without being done: status is {status:#x}")
