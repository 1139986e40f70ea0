"""A pipelined tree of adders: the sum of the lanes of one row."""

from amaranth import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tombola.spec.engine import MAX_ROWS
from tombola_hw.compute_checks import check_range


class AdderTree(wiring.Component):
    """Sums signed terms, a pair at a time; an odd one out passes to the next level.

    Latency: `latency` clocks. Throughput: one sum a clock, no back-pressure.
    Golden model: `sum`.

    Registers cost no cells behind an adder's LUTs, on iCE40 and ECP5 alike, so that one behind
    each level is the default; fewer make the latency shorter and the clock slower.

    Parameters
    ----------
    terms : int
        Number of terms.
    term_bits : int
        Width of a term.
    levels_per_register : int
        Adder levels between two registers; 0: no register at all.

    Members
    -------
    terms : In(ArrayLayout(signed(term_bits), terms))
    total : Out(signed(total_bits))
    """

    def __init__(self, terms: int, *, term_bits: int, levels_per_register: int = 1):
        check_range("AdderTree", "terms", terms, 1, MAX_ROWS)
        check_range("AdderTree", "term_bits", term_bits, 1, 64)
        check_range("AdderTree", "levels_per_register", levels_per_register, 0, 8)
        self._terms = terms
        self._term_bits = term_bits
        self._levels_per_register = levels_per_register
        super().__init__({
            "terms": In(data.ArrayLayout(signed(term_bits), terms)),
            "total": Out(signed(self.total_bits)),
        })

    @property
    def levels(self) -> int:
        """Adders between a term and the total."""
        return ceil_log2(self._terms)

    @property
    def latency(self) -> int:
        """Registers between a term and the total; the last level has one, if any has."""
        if self._levels_per_register == 0:
            return 0
        return -(-self.levels // self._levels_per_register)

    @property
    def total_bits(self) -> int:
        """Each level doubles the range of its terms, which takes exactly one bit more."""
        return self._term_bits + self.levels

    def elaborate(self, platform):
        m = Module()

        nodes = [self.terms[i] for i in range(self._terms)]
        spacing = self._levels_per_register
        for level in range(1, self.levels + 1):
            registered = spacing and (level % spacing == 0 or level == self.levels)
            sums = []
            for i in range(0, len(nodes), 2):
                node = Signal(
                    signed(self._term_bits + level),
                    name=f"level{level}_{i // 2}",
                    reset_less=True,
                    # Else yosys merges adders without registers between into a larger circuit.
                    attrs={} if registered else {"keep": 1},
                )
                pair = nodes[i] + nodes[i + 1] if i + 1 < len(nodes) else nodes[i]
                m.d["sync" if registered else "comb"] += node.eq(pair)
                sums.append(node)
            nodes = sums
        m.d.comb += self.total.eq(nodes[0])

        return m
