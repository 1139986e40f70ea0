"""Registers in a multiplier block, with the vendor's model of it, against two enabled registers."""

import numpy as np
from amaranth import Signal

from tombola_boards.board import Family
from tombola_hw.dsp_registers import BITS, DspRegisters
from tombola_hw.layer_registers import LayerRegisters
from tests.support.gates import Gates
