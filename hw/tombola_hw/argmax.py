"""The class with the largest logit."""

from amaranth import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import address_bits, of_pixels, result_layout


class ArgMax(wiring.Component):
    """Keeps the index of the largest logit, of equal ones the lowest, whatever order they come in.

    Latency: 1 clock. Throughput: a result a clock, no back-pressure.
    Golden model: `numpy.argmax` over the entries.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    start : In(1)
        Forgets all logits; not together with a result.
    results : In(stream.Signature(result_layout(config), always_ready=True))
        Results that are not `logits` are passed over.
    index : Out(address_bits(result_words))
        Entry of the largest logit since `start`; 0 if there was none.
    """

    def __init__(self, config: EngineConfig):
        check_config("ArgMax", config)
        self._config = config
        super().__init__({
            "start": In(1),
            "results": In(stream.Signature(result_layout(config), always_ready=True)),
            "index": Out(unsigned(address_bits(config.result_words))),
        })

    def elaborate(self, platform):
        m = Module()

        result = self.results.p
        logit = of_pixels(self._config, result.value)[0]
        address = result.address[: len(self.index)]
        found, better = Signal(), Signal()
        takes = self.results.valid & result.logits & (~found | better)
        (self._in_one_chain if self._config.compact else self._compare)(
            m, logit, address, takes, better
        )

        with m.If(takes):
            m.d.sync += found.eq(1)
        with m.If(self.start):
            m.d.sync += found.eq(0)
        return m

    def _compare(self, m, logit, address, takes, better):
        best = Signal(signed(len(logit)), reset_less=True)
        # One comparison says both: of equal logits the one with the higher index is worse. The
        # signs change places, as a carry chain knows none.
        m.d.comb += better.eq(
            Cat(self.index, logit[:-1], best[-1]) >= Cat(address, best[:-1], logit[-1])
        )
        with m.If(takes):
            m.d.sync += [best.eq(logit), self.index.eq(address)]
        with m.If(self.start):
            m.d.sync += self.index.eq(0)

    def _in_one_chain(self, m, logit, address, takes, better):
        """For an iCE40, whose carry chains want inverters and whose cells hold a bit each."""
        rank = Cat(~address, logit).as_signed()
        # Kept as its complement: rank and kept meet in a carry chain without inverters, whose carry
        # says whether rank > ~kept; they are never equal.
        kept = Signal(rank.shape(), reset_less=True)
        total = Signal(len(rank) + 1)
        m.d.comb += [
            total.eq(Cat(rank[:-1], ~kept[-1]) + Cat(kept[:-1], ~rank[-1])),
            better.eq(total[-1]),
            self.index.eq(kept[: len(self.index)]),
        ]
        with m.If(takes):
            # The sum is never kept, but a cell of its chain then holds a bit of `kept` as well.
            m.d.sync += kept.eq(Mux(self.results.p.logits, ~rank, total[:-1]))
        with m.If(self.start):
            m.d.sync += kept.eq(0)
