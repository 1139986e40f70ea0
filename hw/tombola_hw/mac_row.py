"""One row of the array: masked additions of all lanes, and the accumulator of a channel."""

from amaranth import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.adder_tree import AdderTree
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import activation_layout


class MacRowSignature(wiring.Signature):
    """The contract of a row, whatever technology it is built for.

    A row declares `latency`, `control_lead`, `activation_delays` and `weight_delays`.
    `activations`, `inside`, `extend`, `positive` and `negative` belong to one line, of which the
    activation of lane i comes `activation_delays[i]` clocks late, and its weight
    `weight_delays[i]`. `accumulate` and `clear` belong to the line of ``latency - control_lead``
    clocks before. `latency` clocks after its line, `accumulate` adds it to the row's sum; with
    `clear` as well that sum becomes `total` in the next clock and stays it until the next such
    line, and the next line begins a new sum. Reset comes as both together.

    With `config.unsigned_sums`, an activation comes as the byte that is added, whether inside or
    not, and its complement has 8 bits; `inside` and `extend` are not used.

    With several planes a line comes once for each, the most significant first, with nothing of
    another line between. `more` belongs to the clock of `accumulate`: further planes of this line
    follow, and what the line has added so far counts twice as much as they do. So the row keeps the
    sum of a line apart, doubles it from plane to plane and adds it to the others' with the last
    plane, when `more` is low; `clear` never comes with `more`. With two planes that is a line of
    `more` shifted by one bit.

    With `config.compact`, an activation comes as the two's complement byte that is added, minus 128
    if it is unsigned; `inside` only covers its low 7 bits, and `extend` is not used. `total` is
    what the row keeps, so that the adder shares its cells with the register: the sum with the line
    of `latency + 1` clocks before. `accumulate` with `clear` adds nothing and makes it 0 in the
    next clock.

    Members
    -------
    activations : Out(activation_layout(config))
    inside : Out(1)
        Low: every activation counts as 0.
    extend : Out(1)
        High: activations are two's complement, and `inside`.
    positive, negative : Out(lanes)
        A lane of both low adds nothing, of `negative` the complement of its activation.
    accumulate, clear : Out(1)
    more : Out(1)
        Only with several planes.
    total : In(signed(accumulator_bits))
    """

    def __init__(self, config: EngineConfig):
        check_config("MacRowSignature", config)
        super().__init__({
            "activations": Out(activation_layout(config)),
            "inside": Out(1),
            "extend": Out(1),
            "positive": Out(unsigned(config.lanes)),
            "negative": Out(unsigned(config.lanes)),
            "accumulate": Out(1),
            "clear": Out(1),
            **({"more": Out(1)} if config.planes > 1 else {}),
            "total": In(signed(config.accumulator_bits)),
        })


class MacRow(wiring.Component):
    """The portable row: a select of one LUT4 a bit, a pipelined tree, an accumulator.

    Latency: `latency` clocks from a line to its sum, which is `total` a clock later. Throughput: a
    line a clock, no back-pressure. Golden model: ``sum(a if positive else ~a if negative else 0)``,
    and that with each plane's weight.

    With `config.compact` an activation has 8 bits rather than 9, which is a bit less of each adder.
    And the accumulator is the only register, and the line passes select and tree
    in one clock: what would accompany it through registers costs cells, and the clock is slow.

    Parameters
    ----------
    config : EngineConfig
    levels_per_register : int
        Levels of the adder tree between two registers, if not compact.

    Members
    -------
    port : In(MacRowSignature(config))

    Attributes
    ----------
    running : Signal
        The sum so far with the line of `latency` clocks before; proofs look at it.
    """

    def __init__(self, config: EngineConfig, *, levels_per_register: int = 1):
        check_config("MacRow", config)
        self._config = config
        self._tree = AdderTree(
            config.lanes,
            term_bits=config.operand_bits,
            levels_per_register=0 if config.compact else levels_per_register,
        )
        self.running = Signal(signed(config.accumulator_bits))
        super().__init__({"port": In(MacRowSignature(config))})

    @property
    def activation_delays(self) -> tuple[int, ...]:
        """Clocks a lane; all lanes of a line come together."""
        return (0,) * self._config.lanes

    weight_delays = activation_delays
    control_lead = 0

    @property
    def latency(self) -> int:
        """One clock for the select, then the tree; none if compact."""
        return 0 if self._config.compact else 1 + self._tree.latency

    def elaborate(self, platform):
        m = Module()
        m.submodules.tree = tree = self._tree
        selects = "comb" if self._config.compact else "sync"

        port = self.port
        for lane, activation in enumerate(port.activations):
            positive, negative = port.positive[lane], port.negative[lane]
            value = Mux(port.inside, activation, 0)
            if self._config.unsigned_sums:
                value = activation
            elif self._config.compact:
                value = Cat(value[:-1], activation[-1])
            else:
                value = Cat(value, activation[-1] & port.extend)
            # A function of four bits for each bit, so that the select is one LUT4; written in
            # words, each of which a simulator computes in the time of a bit.
            selected = Signal(len(value), name=f"selected{lane}", reset_less=True)
            m.d[selects] += selected.eq(Mux(positive, value, 0) | Mux(negative, ~value, 0))
            m.d.comb += tree.terms[lane].eq(selected)

        line, ends = tree.total, port.accumulate
        if self._config.planes > 1:
            line, ends = self._weighted(m, line), port.accumulate & ~port.more

        # The flip-flops' own reset is taken by `clear`: a second one would cost a LUT a bit.
        kept = Signal.like(port.total, reset_less=True)
        following = self.running
        m.d.comb += following.eq(kept + line)
        with m.If(ends):
            m.d.sync += kept.eq(Mux(port.clear, 0, following))
        if self._config.compact:
            m.d.comb += port.total.eq(kept)
        else:
            complete = Signal.like(port.total, reset_less=True)
            m.d.comb += port.total.eq(complete)
            with m.If(ends & port.clear):
                m.d.sync += complete.eq(following)

        return m

    def _weighted(self, m, plane):
        # A second adder: 17 cells a row. To double the whole accumulator, which needs the planes of
        # a position one after the other, took 24, and a shifter 15 to 56, growing with the planes.
        bits = len(plane) + self._config.planes
        before = Signal(signed(bits), reset_less=True)
        # Kept apart: else yosys merges both adders into a larger circuit.
        weighted = Signal(signed(bits), attrs={"keep": 1})
        m.d.comb += weighted.eq(before + plane)
        with m.If(self.port.accumulate):
            m.d.sync += before.eq(Mux(self.port.more, weighted << 1, 0))
        return weighted
