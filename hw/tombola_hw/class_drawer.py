"""Draws signs and freeze classes for a step of positions from the two streams of a channel."""

from amaranth import Module, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola.spec.weight_stream import DRAW_BITS
from tombola_hw.compute_checks import check_config
from tombola_hw.freeze import FreezeDecoder
from tombola_hw.interfaces import layer_layout
from tombola_hw.lfsr import LeapLfsr


def places_layout(config: EngineConfig) -> data.StructLayout:
    """What is asked of one step: its `real` positions, and whether it is the `last` of its turn."""
    return data.StructLayout({"real": unsigned(config.construction), "last": unsigned(1)})


def classes_layout(config: EngineConfig) -> data.StructLayout:
    """Positions of a step before their mask bits.

    `flag` is the sign, 1 for negative, of locked and searchable positions; it is 1 for pruned
    positions and 0 for padding, which no bit can change any more. The searchable ones may still be
    dropped: `line_packer.step_codes_layout` says how that reads.
    """
    return data.StructLayout({
        "searchable": unsigned(config.construction),
        "locked": unsigned(config.construction),
        "flag": unsigned(config.construction),
        "last": unsigned(1),
    })


class ClassDrawer(wiring.Component):
    """Makes the classes of `construction` positions of one row a clock.

    Both streams' states hang in one chain of 32-bit words: `shift` moves it, `word` enters at the
    freeze stream's end and `chain` shows the sign stream's low word, so four shifts load sign low,
    sign high, freeze low, freeze high and show the old states in the same order; not in a clock in
    which a place is taken. Latency 1 clock, a step a clock; classes that are not taken stall the
    places. Golden model: `tombola.spec.weight_stream.freeze_classes` and `negative`.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout(config))
    places : In(stream.Signature(places_layout(config)))
    classes : Out(stream.Signature(classes_layout(config)))
    shift : In(1)
    word, chain : In(32), Out(32)
    """

    def __init__(self, config: EngineConfig):
        check_config("ClassDrawer", config)
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "places": In(stream.Signature(places_layout(config))),
            "classes": Out(stream.Signature(classes_layout(config))),
            "shift": In(1),
            "word": In(WORD),
            "chain": Out(WORD),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.signs = signs = LeapLfsr(self._config.construction)
        m.submodules.draws = draws = LeapLfsr(self._config.construction * DRAW_BITS)
        m.submodules.freeze = freeze = FreezeDecoder(
            self._config.construction, chained=self._config.compact
        )

        place, drawn = self.places.p, self.classes.p
        take = self.places.valid & self.places.ready
        m.d.comb += [
            self.places.ready.eq(~self.classes.valid | self.classes.ready),
            signs.step.eq(take), signs.shift.eq(self.shift), signs.word.eq(draws.low),
            draws.step.eq(take), draws.shift.eq(self.shift), draws.word.eq(self.word),
            self.chain.eq(signs.low),
            freeze.draws.eq(draws.bits),
            freeze.real.eq(place.real),
            freeze.prune.eq(self.layer.prune),
            freeze.frozen.eq(self.layer.frozen),
        ]

        with m.If(self.classes.ready):
            m.d.sync += self.classes.valid.eq(0)
        with m.If(take):
            m.d.sync += [
                self.classes.valid.eq(1),
                drawn.searchable.eq(freeze.searchable),
                drawn.locked.eq(freeze.locked),
                drawn.flag.eq((place.real & signs.bits) | freeze.pruned),
                drawn.last.eq(place.last),
            ]

        return m
