import re
import subprocess

import pytest

from tombola.spec.errors import ConfigError
from tombola.spec.programs import wheel_script
from tombola_boards.pll import Ecp5Pll, Ice40Pll


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


@pytest.mark.parametrize("pll", [Ice40Pll, Ecp5Pll])
def test_refuses_what_it_cannot_make(pll):
    message = r"^clock must be one that the PLL makes of 12 MHz, not 23\.9876 MHz$"
    with pytest.raises(ConfigError, match=message):
        pll.for_clock(input_hz=12_000_000, output_hz=23_987_600)
    with pytest.raises(ConfigError, match=r"^output_hz must be positive, not 0$"):
        pll.for_clock(input_hz=12_000_000, output_hz=0)
    with pytest.raises(TypeError, match=r"^input_hz must be an int, not 12000000\.0$"):
        pll.for_clock(input_hz=12e6, output_hz=24_000_000)
