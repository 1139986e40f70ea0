"""What the build knows of a board: part, pins, clock, engine and how to name them."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from amaranth.build import Platform

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError
from tombola.spec.link import LEAST_DIVISOR


class Family(enum.Enum):
    """FPGA families whose tools the build knows."""

    ICE40 = "ice40"
    ECP5 = "ecp5"
    GOWIN = "gowin"


@dataclass(frozen=True, kw_only=True)
class Programmer:
    """The program that brings a bitstream onto a board.

    Parameters
    ----------
    tool : str
        A name of `tombola_boards.tools.TOOLS`.
    sram, flash : tuple of str, optional
        Its arguments before the path of the bitstream, for a configuration that power-off ends and
        for one that the board boots from; None where the board has no such way.
    """

    tool: str
    sram: tuple[str, ...] | None = None
    flash: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Board:
    """One board.

    Parameters
    ----------
    name : str
        As `tombola build --board` takes it.
    title : str
        For people: board and part.
    family : Family
    make_platform : callable
        Makes the Amaranth platform, with domain `sync` at `clock_hz`.
    clock_hz : int
        Of the engine.
    config : EngineConfig
        The engine that fits.
    programmer : Programmer
        It boots from flash where that has a way.
    cable : str
        For people: what plugs in where.
    page : str
        Where the vendor describes it.
    adapter : str
        For people: how an adapter is wired to the serial line; empty where `cable` carries it.
    remark : str
        For people: what else they must know or do to program it.
    baud : int
        Of the serial line; divides `clock_hz` with less than 2 % error.
    spram : bool
        Activations live in the large single-port RAM of an UP5K.
    layer_dsps : int
        Multiplier blocks of an UP5K that hold registers of the layer in force, in an engine with
        short totals; others need two of them to requantise.
    leds : mapping
        ``ready``, ``busy``, ``error`` to (resource, number); what is missing is not shown.
    """

    name: str
    title: str
    family: Family
    make_platform: Callable[[], Platform]
    clock_hz: int
    config: EngineConfig
    programmer: Programmer
    cable: str
    page: str
    adapter: str = ""
    remark: str = ""
    baud: int = 1_000_000
    spram: bool = False
    layer_dsps: int = 0
    leds: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        error = 0.02 * self.clock_hz
        if self.baud < 1 or abs(self.divisor * self.baud - self.clock_hz) > error:
            raise ConfigError(
                f"baud must divide the clock of {self.clock_hz} Hz with less than 2 % error, "
                f"not {self.baud}"
            )
        if self.divisor < LEAST_DIVISOR:
            raise ConfigError(
                f"baud must be at most {self.clock_hz // LEAST_DIVISOR} at a clock of "
                f"{self.clock_hz} Hz, not {self.baud}"
            )

    @property
    def pipelined(self) -> bool:
        """Whether the engine takes more registers: the clocks of an ECP5 ask for them."""
        return self.family is Family.ECP5

    @property
    def divisor(self) -> int:
        """Clocks a bit of the serial line."""
        return round(self.clock_hz / self.baud)

    @property
    def clock_mhz(self) -> float:
        """`clock_hz` in MHz."""
        return self.clock_hz / 1e6

    def at_clock(self, clock_hz: int) -> "Board":
        """The same board with another clock of its engine.

        Raises
        ------
        ConfigError
            If its loop cannot be told another clock, or its serial line does not divide it.
        """
        if clock_hz == self.clock_hz:
            return self
        at_clock = getattr(self.make_platform, "at_clock", None)
        if at_clock is None:
            raise ConfigError(
                f"clock of {self.name} must be {self.clock_mhz:g} MHz, not {clock_hz / 1e6:g} MHz; "
                "boards with an ECP5 have others"
            )
        return replace(self, clock_hz=clock_hz, make_platform=at_clock(clock_hz))

    def config_for(self, geometry: str) -> EngineConfig:
        """The board's engine at another ``ROWSxLANES``.

        Activations keep their bytes; in single-port RAM, whose depth is fixed, their words.
        """
        wanted = EngineConfig.for_geometry(geometry)
        own = self.config
        words = own.activation_words
        if not self.spram:
            words = words * own.lanes // wanted.lanes
        return replace(own, rows=wanted.rows, lanes=wanted.lanes, activation_words=words)
