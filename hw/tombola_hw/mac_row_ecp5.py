"""One row of the array in carry chains of an ECP5, which select and add in one cell a bit."""

from amaranth import Cat, ClockSignal, Const, Instance, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tombola.spec.engine import ACTIVATION_BITS, EngineConfig
from tombola.spec.errors import ConfigError
from tombola_hw.carry_chain_ecp5 import KEEP, SELECT, CarryChain
from tombola_hw.compute_checks import check_bool, check_config, check_range
from tombola_hw.mac_row import MacRowSignature

BYTE = (1 << ACTIVATION_BITS) - 1


class Ecp5MacRow(wiring.Component):
    """A row that adds one lane after the other, `lanes_per_register` of them in a clock.

    Every term is a byte that is not negative, so no sum overflows and no adder leaves a carry.
    Between two clocks only the low byte of a sum goes on into the adders of the next lanes; what is
    above it waits for the last of these, whose cells above the byte have nothing else to add. So
    an adder has 9 or 10 cells wherever it stands, and there is no tree.

    What accumulates and clears comes through registers of each row's own: one for all rows of a
    large array would reach thousands of flip-flops in a clock.

    Latency: `latency` clocks from a line to its sum, which is `total` a clock later. Throughput: a
    line a clock, no back-pressure. Golden model: `MacRow`; tests compare them with the vendor's
    cell model, and prove small ones equal.

    Parameters
    ----------
    config : EngineConfig
        With `unsigned_sums`.
    lanes_per_register : int
        Fewer are faster, and take more registers and a few more cells; see docs/mac-row.md.
    own_weights : bool
        Keep the line's weights in registers of this row's own, for rows of several pixels, which
        lie far apart and have the same weights.

    Members
    -------
    port : In(MacRowSignature(config))

    Attributes
    ----------
    running : Signal
        As in `MacRow`.
    """

    def __init__(
        self, config: EngineConfig, *, lanes_per_register: int = 2, own_weights: bool = False
    ):
        check_config("Ecp5MacRow", config)
        check_range("Ecp5MacRow", "lanes_per_register", lanes_per_register, 1, 32)
        check_bool("Ecp5MacRow", "own_weights", own_weights)
        if not config.unsigned_sums:
            raise ConfigError("Ecp5MacRow config must have unsigned_sums")
        self._config = config
        self._step = lanes_per_register
        self._own_weights = own_weights
        self.running = Signal(signed(config.accumulator_bits))
        super().__init__({"port": In(MacRowSignature(config))})

    control_lead = 1
    """The row's own registers."""

    @property
    def latency(self) -> int:
        """One clock for each group of lanes, and one for the row's own weights."""
        return -(-self._config.lanes // self._step) + self._own_weights

    @property
    def weight_delays(self) -> tuple[int, ...]:
        """A group of lanes is added a clock after the one before it."""
        return tuple(lane // self._step for lane in range(self._config.lanes))

    @property
    def activation_delays(self) -> tuple[int, ...]:
        """As for the weights, which the row may hold for a clock."""
        return tuple(delay + self._own_weights for delay in self.weight_delays)

    def elaborate(self, platform):
        m = Module()
        port, lanes = self.port, self._config.lanes
        positive, negative = self._held(m, port.positive), self._held(m, port.negative)

        low, high = (), ()
        for first in range(0, lanes, self._step):
            chain = CarryChain()
            last = min(first + self._step, lanes) - 1
            for lane in range(first, last + 1):
                term = port.activations[lane], positive[lane], negative[lane]
                if lane == 0:
                    low = self._selected(m, *term)
                elif lane < last:
                    terms = lane - first + 1 + (first > 0)
                    low = _sum(chain, low, *term, high=(), largest=terms * BYTE)
                else:
                    low = _sum(chain, low, *term, high=high, largest=(lane + 1) * BYTE)
            if last > 0:
                chain.place(m, f"lanes{first}")
            total = Signal(len(low), name=f"total{last}", reset_less=True)
            m.d.sync += total.eq(Cat(low))
            low, high = total[:ACTIVATION_BITS], total[ACTIVATION_BITS:]

        accumulates = port.accumulate
        if self._config.planes > 1:
            total, accumulates = self._weighted(m, total), port.accumulate & ~port.more
        adds, ends = _own(m, Cat(accumulates, accumulates & port.clear))

        chain = CarryChain()
        kept, complete = (Signal.like(port.total, reset_less=True) for _ in range(2))
        following = self.running
        m.d.comb += [
            following.eq(
                Cat(
                    chain.add(SELECT, bit, total[i], 1, 0)
                    if i < len(total) else chain.add(KEEP, bit)
                    for i, bit in enumerate(kept)
                )
            ),
            port.total.eq(complete),
        ]
        chain.place(m, "accumulator")
        with m.If(adds):
            m.d.sync += kept.eq(following)
        with m.If(ends):
            m.d.sync += [kept.eq(0), complete.eq(following)]
        return m

    def _weighted(self, m, plane):
        """The planes of a line so far, twice what they were, and this one."""
        bits = len(plane) + self._config.planes
        before = Signal(bits, reset_less=True)
        chain = CarryChain()
        weighted = Cat(
            chain.add(SELECT, plane[i] if i < len(plane) else 0, before[i - 1] if i else 0, 1, 0)
            for i in range(bits)
        )
        chain.place(m, "planes")
        adds, ends = _own(m, Cat(self.port.accumulate, self.port.accumulate & ~self.port.more))
        with m.If(adds):
            m.d.sync += before.eq(weighted)
        with m.If(ends):
            m.d.sync += before.eq(0)
        return weighted

    def _selected(self, m, activation, positive, negative):
        selected = Signal(ACTIVATION_BITS)
        m.d.comb += selected.eq(Cat(Mux(bit, positive, negative) for bit in activation))
        return selected

    def _held(self, m, weights):
        return _own(m, weights) if self._own_weights else weights


def _own(m, bits):
    """The same a clock later, in flip-flops of the vendor's, since Yosys makes one of all that hold
    the same."""
    held = Signal(len(bits))
    for index, bit in enumerate(bits):
        m.submodules += Instance(
            "TRELLIS_FF",
            a_keep=1,
            p_GSR="DISABLED",
            p_CEMUX="1",
            p_CLKMUX="CLK",
            p_LSRMUX="LSR",
            p_REGSET="RESET",
            p_SRMODE="LSR_OVER_CE",
            i_CLK=ClockSignal(),
            i_CE=Const(1),
            i_LSR=Const(0),
            i_DI=bit,
            o_Q=held[index],
        )
    return held


def _sum(chain, low, activation, positive, negative, *, high, largest):
    """Bits of `low` plus a lane, plus `high` above the byte; at most `largest`."""
    bits = []
    for i in range(largest.bit_length()):
        a, above = low[i] if i < len(low) else 0, i - ACTIVATION_BITS
        if above < 0:
            bits.append(chain.add(SELECT, a, activation[i], positive, negative))
        elif above < len(high):
            bits.append(chain.add(SELECT, a, high[above], 1, 0))
        else:
            bits.append(chain.add(KEEP, a))
    return bits
