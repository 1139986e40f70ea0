"""Dividers of the phase-locked loops that make a board's clock from its crystal."""

from dataclasses import dataclass
from fractions import Fraction

from tombola.spec.errors import ConfigError

MHZ = 1_000_000


def _frequencies(input_hz: int, output_hz: int) -> None:
    for name, value in (("input_hz", input_hz), ("output_hz", output_hz)):
        if type(value) is not int:
            raise TypeError(f"{name} must be an int, not {value!r}")
        if value <= 0:
            raise ConfigError(f"{name} must be positive, not {value}")


def _unreachable(input_hz: int, output_hz: int) -> ConfigError:
    return ConfigError(
        f"clock must be one that the PLL makes of {input_hz / MHZ:g} MHz, "
        f"not {output_hz / MHZ:g} MHz"
    )


@dataclass(frozen=True, kw_only=True)
class Ice40Pll:
    """SB_PLL40 with simple feedback: output = input x (divf + 1) / ((divr + 1) x 2^divq).

    Ranges and filter steps are those of Lattice TN1251 and of `icepll`; the test compares.
    """

    divr: int
    divf: int
    divq: int
    filter_range: int

    @classmethod
    def for_clock(cls, *, input_hz: int, output_hz: int) -> "Ice40Pll":
        """The dividers that give exactly `output_hz`, with the fastest phase comparison."""
        _frequencies(input_hz, output_hz)
        for divr in range(16):
            compared = Fraction(input_hz, divr + 1)
            if not 10 * MHZ <= compared <= 133 * MHZ:
                continue
            for divq in range(1, 7):
                oscillator = output_hz << divq
                factor = oscillator / compared
                if (
                    533 * MHZ <= oscillator <= 1066 * MHZ
                    and factor.denominator == 1
                    and factor <= 128
                ):
                    limits = (17, 26, 44, 66, 101)
                    filter_range = 1 + sum(compared >= limit * MHZ for limit in limits)
                    return cls(
                        divr=divr, divf=int(factor) - 1, divq=divq, filter_range=filter_range
                    )
        raise _unreachable(input_hz, output_hz)


@dataclass(frozen=True, kw_only=True)
class Ecp5Pll:
    """EHXPLLL with its output fed back: output = input x feedback / reference.

    `output` divides the oscillator, which runs at 400 to 800 MHz (Lattice FPGA-DS-02012; the test
    compares with `ecppll`).
    """

    reference: int
    feedback: int
    output: int

    @classmethod
    def for_clock(cls, *, input_hz: int, output_hz: int) -> "Ecp5Pll":
        """The dividers that give exactly `output_hz`, with the oscillator closest to 600 MHz."""
        _frequencies(input_hz, output_hz)
        ratio = Fraction(output_hz, input_hz)
        outputs = [n for n in range(1, 129) if 400 * MHZ <= n * output_hz <= 800 * MHZ]
        if max(ratio.numerator, ratio.denominator) > 80 or not outputs:
            raise _unreachable(input_hz, output_hz)
        if input_hz < 3_125_000 * ratio.denominator:
            raise _unreachable(input_hz, output_hz)
        output = min(outputs, key=lambda n: abs(n * output_hz - 600 * MHZ))
        return cls(reference=ratio.denominator, feedback=ratio.numerator, output=output)


GOWIN_OSCILLATORS = {"GW1N-9C": (400, 1200), "GW2A-18C": (500, 1250)}
"""MHz that the oscillator may run at, by die: Gowin DS117 for C6/I5 and DS226 for C8/I7."""


@dataclass(frozen=True, kw_only=True)
class GowinPll:
    """rPLL with internal feedback: output = input x (feedback + 1) / (reference + 1).

    The oscillator runs at output x `output` (Gowin UG286; the test compares with `gowin_pll`).
    """

    reference: int
    feedback: int
    output: int

    @classmethod
    def for_clock(cls, *, input_hz: int, output_hz: int, die: str) -> "GowinPll":
        """The dividers that give exactly `output_hz`, with the fastest phase comparison.

        Of the output dividers the one that puts the oscillator closest to the middle of its range.

        Parameters
        ----------
        input_hz, output_hz : int
        die : str
            A name of `GOWIN_OSCILLATORS`.
        """
        _frequencies(input_hz, output_hz)
        low, high = (limit * MHZ for limit in GOWIN_OSCILLATORS[die])
        ratio = Fraction(output_hz, input_hz)
        dividers = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)
        outputs = [n for n in dividers if low < n * output_hz < high]
        if max(ratio.numerator, ratio.denominator) > 64 or not outputs:
            raise _unreachable(input_hz, output_hz)
        if input_hz < 3 * MHZ * ratio.denominator:
            raise _unreachable(input_hz, output_hz)
        output = min(outputs, key=lambda n: abs(2 * n * output_hz - low - high))
        return cls(
            reference=ratio.denominator - 1, feedback=ratio.numerator - 1, output=output
        )
