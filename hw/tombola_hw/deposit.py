"""Bit deposit: the next mask bits to the searchable positions, in order."""

from amaranth import C, Cat, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tombola_hw.freeze import check_width


def low_halves(width: int) -> list[tuple[int, int]]:
    """Start and size of the low half of each block of 2, 4 .. `width` positions, largest first."""
    halves = []
    size = width // 2
    while size:
        halves += [(start, size) for start in range(0, width, 2 * size)]
        size //= 2
    return halves


def counts_layout(width: int) -> data.StructLayout:
    """Searchable positions in all `width` and in the low half of each block of two or more."""
    return data.StructLayout({
        "all": range(width + 1),
        **{f"from{start}_of{size}": range(size + 1) for start, size in low_halves(width)},
    })


class BlockCounts(wiring.Component):
    """Counts the searchable positions of a step, block by block.

    Combinational, an adder tree. A core of its own, so that a register fits between it and
    `BitDeposit`.

    Parameters
    ----------
    width : int
        Positions, a power of two up to 32.

    Members
    -------
    flags : In(width)
    counts : Out(counts_layout(width))
    """

    def __init__(self, width: int):
        self._width = check_width("BlockCounts", width)
        super().__init__({"flags": In(width), "counts": Out(counts_layout(width))})

    def elaborate(self, platform):
        m = Module()

        sums: dict[tuple[int, int], Value] = {(at, 1): flag for at, flag in enumerate(self.flags)}
        size = 2
        while size <= self._width:
            for start in range(0, self._width, size):
                half = size // 2
                sums[start, size] = total = Signal(range(size + 1), name=f"from{start}_of{size}")
                # In plain logic: for so few bits a carry chain costs more than it saves.
                carry = C(0, 1)
                halves = zip(sums[start, half], sums[start + half, half], strict=True)
                for bit, (low, high) in enumerate(halves):
                    m.d.comb += total[bit].eq(low ^ high ^ carry)
                    above = Signal(name=f"carry{bit}_from{start}_of{size}")
                    m.d.comb += above.eq((low & high) | (carry & (low | high)))
                    carry = above
                m.d.comb += total[-1].eq(carry)
            size *= 2

        m.d.comb += self.counts["all"].eq(sums[0, self._width])
        for start, size in low_halves(self._width):
            m.d.comb += self.counts[f"from{start}_of{size}"].eq(sums[start, size])

        return m


class BitDeposit(wiring.Component):
    """Hands each searchable position the next bit of a window of mask bits.

    Combinational. The window is halved again and again: the low half of a block keeps the bits it
    has, the high half takes them shifted by the searchable positions of the low half. Bits at
    positions that are not searchable are arbitrary. Blocks of the sizes from `largest` down to
    `smallest` are halved here, so that a register fits between two deposits, of which the second
    takes the first's `bits`. Golden model: `tombola.spec.mask_code.decode` for one coat.

    Parameters
    ----------
    width : int
        Positions, a power of two up to 32.
    largest, smallest : int
        Powers of two up to `width`; from the whole width down to 2 if they are left out.

    Members
    -------
    counts : In(counts_layout(width))
        Of the searchable positions, from `BlockCounts`.
    window : In(width)
        The next mask bits, bit 0 first; each block of `largest` positions has its own.
    bits : Out(width)
    """

    def __init__(self, width: int, *, largest: int | None = None, smallest: int = 2):
        self._width = check_width("BitDeposit", width)
        self._largest = check_width("BitDeposit", width if largest is None else largest)
        self._smallest = check_width("BitDeposit", smallest)
        super().__init__({
            "counts": In(counts_layout(width)),
            "window": In(width),
            "bits": Out(width),
        })

    def elaborate(self, platform):
        m = Module()

        largest = min(self._largest, self._width)
        windows = {
            start: self.window[start : start + largest] for start in range(0, self._width, largest)
        }
        for start, size in low_halves(self._width):
            if self._smallest <= 2 * size <= largest:
                window = windows[start]
                windows[start] = window[:size]
                windows[start + size] = (window >> self.counts[f"from{start}_of{size}"])[:size]
        m.d.comb += self.bits.eq(Cat(windows[start] for start in sorted(windows)))

        return m
