"""What a device says of itself and of its inferences."""

from dataclasses import dataclass

import numpy as np

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError, DeviceError
from tombola.spec.identity import NAMES, config_of
from tombola.spec.registers import ADDRESS, IDENTITY, VERSION, ErrorCode

RUN_REGISTERS = ADDRESS["cycles"] - ADDRESS["status"] + 1
"""Registers from `status` on that an inference needs."""
COUNTER_REGISTERS = ADDRESS["output_stalls"] - ADDRESS["cycles"] + 1
COUNTERS = ("cycles", "busy_cycles", "weight_stalls", "output_stalls")
DONE = 2
HINTS = {
    ErrorCode.BUSY: "it was spoken to while it ran; is another program using this board?",
    ErrorCode.OPERATION: "its ticket memory holds no sound program; load the ticket again",
    ErrorCode.ADDRESS: "it was asked for an address that it has not; connect again",
    ErrorCode.FOREIGN: "its ticket was compiled for another engine; load the ticket again",
}


@dataclass(frozen=True, kw_only=True)
class Info:
    """A device.

    Attributes
    ----------
    address : str
        The port, or the name of the virtual board.
    board : str, optional
        As far as known.
    version : int
        Of the register map.
    config : EngineConfig
    """

    address: str
    board: str | None
    version: int
    config: EngineConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class Results:
    """Answers to a batch of images.

    Attributes
    ----------
    logits : int64 array (batch, values)
        In the order of `tombola.spec.reference.logits`.
    classes : int64 array (batch,)
        Index of the largest logit, the lowest of equals.
    latency_cycles : int64 array (batch,)
        Clocks of each run, from its start to its last logit, counted by the engine.
    """

    logits: np.ndarray
    classes: np.ndarray
    latency_cycles: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Status:
    """`RUN_REGISTERS`, after a run without error.

    Attributes
    ----------
    mark : int
        What the driver left there when it loaded a ticket.
    winner, cycles : int
    """

    mark: int
    winner: int
    cycles: int


def engine_config(words: tuple[int, ...], name: str) -> EngineConfig:
    """The engine that these first registers describe.

    Raises
    ------
    DeviceError
        If it is none, or speaks another version.
    """
    registers = dict(zip(NAMES, words, strict=True))
    identity, version = registers["identity"], registers["version"]
    if identity != IDENTITY:
        raise DeviceError(
            f"the board at {name} says it is {identity:#010x}, not {IDENTITY:#x}; program it with "
            "a bitstream of tombola"
        )
    if version != VERSION:
        older = "bitstream" if version < VERSION else "driver"
        raise DeviceError(
            f"the bitstream at {name} has version {version} of the registers and this driver "
            f"version {VERSION}; renew the {older}"
        )
    try:
        return config_of(registers)
    except ConfigError as error:
        raise DeviceError(
            f"the registers at {name} describe no engine: {error}; program the board again"
        ) from error


def check_error(status: int, name: str) -> None:
    """Raises a `DeviceError` if the register `status` holds an error code."""
    code = status >> 8 & 0xFF
    if not code:
        return
    try:
        error = ErrorCode(code)
    except ValueError:
        raise DeviceError(
            f"the engine at {name} reports error {code}, which this driver does not know; "
            "renew the driver"
        ) from None
    raise DeviceError(
        f"the engine at {name} reports error {code} ({error.name.lower()}): {HINTS[error]}"
    )


def check_run(words: tuple[int, ...], name: str) -> Status:
    """What `RUN_REGISTERS` say after a run.

    Raises
    ------
    DeviceError
        If the engine reports an error, or did not run.
    """
    check_error(words[0], name)
    if not words[0] & DONE:
        raise DeviceError(
            f"the engine at {name} has not run; it was reset meanwhile: load the ticket again"
        )
    _, mark, winner, cycles = words
    return Status(mark=mark, winner=winner, cycles=cycles)
