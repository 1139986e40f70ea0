"""A carry chain of an ECP5: several adders end to end, with a selection in front of each bit."""

from amaranth import Const, Instance, Module, Signal
from amaranth.hdl import ValueLike

SELECT = 0x596A
"""LUT of one bit of ``a + (b if c else ~b if d else 0)``: a ^ (c & b | d & ~b).

The carry out of a cell is that into it where the LUT gives 1; elsewhere it is what the LUT gives
for the same a and b and c = d = 0. That is a, as long as c = d = 0 means that nothing is added.
"""
KEEP = 0xAAAA
"""LUT of one bit of ``a``, to which only the carry is added."""
ZERO = 0x0000
"""LUT of a cell whose carry is 0, whatever comes into it."""


class CarryChain:
    """Cells in the order of their carries, two to a CCU2C.

    An adder whose result is wide enough leaves no carry, so that the next one may begin in the next
    cell. The chain itself begins with a cell of `ZERO`, which needs no carry from elsewhere.
    """

    def __init__(self):
        self._cells = []
        self._append(ZERO, (0, 0, 0, 0))

    def add(
        self, lut: int, a: ValueLike, b: ValueLike = 0, c: ValueLike = 0, d: ValueLike = 0
    ) -> Signal:
        """Appends a cell and returns its sum bit: what the LUT gives, xor the carry into it."""
        return self._append(lut, (a, b, c, d))

    def place(self, m: Module, name: str) -> None:
        """Makes submodules of `m` of the cells, once all are there."""
        if len(self._cells) % 2:
            self._append(ZERO, (0, 0, 0, 0))
        carry = Signal(len(self._cells) // 2, name=f"{name}_carry")
        for index in range(len(carry)):
            halves = self._cells[2 * index : 2 * index + 2]
            ports = {"o_COUT": carry[index]}
            if index > 0:
                ports["i_CIN"] = carry[index - 1]
            for half, (lut, inputs, total) in enumerate(halves):
                ports[f"p_INIT{half}"] = Const(lut, 16)
                ports[f"p_INJECT1_{half}"] = "NO"
                ports[f"o_S{half}"] = total
                for pin, value in zip("ABCD", inputs, strict=True):
                    ports[f"i_{pin}{half}"] = value
            m.submodules[f"{name}_{index}"] = Instance("CCU2C", **ports)

    def _append(self, lut, inputs):
        total = Signal(name=f"total{len(self._cells)}")
        self._cells.append((lut, inputs, total))
        return total
