import re
import subprocess

import pytest

from tombola.spec.errors import ConfigError
from tombola.spec.programs import wheel_script
from tombola_boards.pll import GOWIN_OSCILLATORS, Ecp5Pll, GowinPll, Ice40Pll


def _ask(script, *arguments):
    path = wheel_script(script)
    if path is None:
        pytest.skip(f"{script} is not installed")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("mhz", [24, 27, 30, 36, 48, 60])
def test_ice40_dividers_are_those_of_icepll(mhz):
    answer = _ask("yowasp-icepll", "-i", "12", "-o", str(mhz))
    theirs = {
        name.lower(): int(value) for name, value in re.findall(r"(DIV[RFQ]):\s+(\d+)", answer)
    }
    filter_range = int(re.search(r"FILTER_RANGE:\s+(\d+)", answer).group(1))
    ours = Ice40Pll.for_clock(input_hz=12_000_000, output_hz=mhz * 1_000_000)
    assert ours == Ice40Pll(**theirs, filter_range=filter_range)


@pytest.mark.parametrize("mhz", [50, 75, 80, 90, 100, 125])
def test_ecp5_dividers_are_those_of_ecppll(mhz):
    answer = _ask("yowasp-ecppll", "-i", "25", "-o", str(mhz))
    names = {"reference": "Refclk", "feedback": "Feedback", "output": "clkout0"}
    theirs = {
        ours: int(re.search(rf"{name} divisor: (\d+)", answer).group(1))
        for ours, name in names.items()
    }
    ours = Ecp5Pll.for_clock(input_hz=25_000_000, output_hz=mhz * 1_000_000)
    assert (ours.reference, ours.feedback) == (theirs["reference"], theirs["feedback"])
    # Any oscillator frequency in range will do; the rounding of ties is not part of the contract.
    assert abs(ours.output - theirs["output"]) <= 1


PARTS = {"GW1N-9C": "GW1NR-LV9QN88PC6/I5", "GW2A-18C": "GW2AR-LV18QN88C8/I7"}


@pytest.mark.parametrize("die", sorted(PARTS))
@pytest.mark.parametrize("mhz", [27, 30, 36, 40.5, 45, 54, 72])
def test_gowin_dividers_are_those_of_gowin_pll(die, mhz):
    answer = _ask("gowin_pll", "-i", "27", "-o", str(mhz), "-d", PARTS[die])
    theirs = {
        name: int(value) for name, value in re.findall(r"\.(\w+DIV_SEL)\((\d+)\)", answer)
    }
    ours = GowinPll.for_clock(input_hz=27_000_000, output_hz=int(mhz * 1_000_000), die=die)
    assert (ours.reference, ours.feedback) == (theirs["IDIV_SEL"], theirs["FBDIV_SEL"])
    # Theirs is the lowest oscillator frequency that locks, ours one in the middle.
    low, high = re.search(r"VCO = .* \(range: (\d+)-(\d+) MHz\)", answer).groups()
    assert GOWIN_OSCILLATORS[die] == (int(low), int(high))
    assert int(low) < mhz * theirs["ODIV_SEL"] <= mhz * ours.output < int(high)


@pytest.mark.parametrize("output_hz", [3_000_000, 27_100_000, 700_000_000])
def test_gowin_refuses_what_it_cannot_make(output_hz):
    message = rf"^clock must be one that the PLL makes of 27 MHz, not {output_hz / 1e6:g} MHz$"
    with pytest.raises(ConfigError, match=message):
        GowinPll.for_clock(input_hz=27_000_000, output_hz=output_hz, die="GW1N-9C")


@pytest.mark.parametrize("pll", [Ice40Pll, Ecp5Pll])
def test_refuses_what_it_cannot_make(pll):
    message = r"^clock must be one that the PLL makes of 12 MHz, not 23\.9876 MHz$"
    with pytest.raises(ConfigError, match=message):
        pll.for_clock(input_hz=12_000_000, output_hz=23_987_600)
    with pytest.raises(ConfigError, match=r"^output_hz must be positive, not 0$"):
        pll.for_clock(input_hz=12_000_000, output_hz=0)
    with pytest.raises(TypeError, match=r"^input_hz must be an int, not 12000000\.0$"):
        pll.for_clock(input_hz=12e6, output_hz=24_000_000)
