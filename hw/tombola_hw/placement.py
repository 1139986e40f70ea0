"""Where in the activation memory or the result memory each value goes."""

from amaranth import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import address_bits, layer_layout, result_layout
from tombola_hw.serialiser import place_layout


class Placement(wiring.Component):
    """Addresses values: channel innermost, then output positions, then channel groups.

    Latency: 0. Throughput: a place a clock, no back-pressure. Golden model: word
    ``output_base + position * output_step + channel // lanes`` and lane ``channel % lanes``, or
    for logits entry ``output_base + position * output_step + channel``; modulo `bits`.

    Groups need not be a power of two of channels: a group starts at the word and the lane where
    the one before it ended. With `config.packing` channel 0 goes to `layer.output_lane`.

    With several pixels a group starts in memory 0, and after `strip_positions` positions it goes
    on in the next, from the same address again.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout(config))
    start : In(1)
        A layer begins; no later than the clock before its first place.
    places : In(stream.Signature(place_layout(config), always_ready=True))
    address : Out(20)
    lane : Out(range(lanes))
        Both of the place of the same clock; `lane` is 0 for logits.
    bank : Out(log2(pixels))
        Beside them; only with several pixels.
    """

    def __init__(self, config: EngineConfig):
        check_config("Placement", config)
        self._config = config
        result = result_layout(config)
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "places": In(stream.Signature(place_layout(config), always_ready=True)),
            "address": Out(result["address"].shape),
            "lane": Out(result["lane"].shape),
            **({"bank": Out(unsigned(config.turn_bits))} if config.pixels > 1 else {}),
        })

    @property
    def bits(self) -> int:
        """Both memories' addresses fit; higher bits of `address` are 0."""
        return address_bits(max(self._config.activation_words, self._config.result_words))

    def elaborate(self, platform):
        m = Module()

        place, layer, bits = self.places.p, self.layer, self.bits
        lane_bits = address_bits(self._config.lanes) if self._config.lanes > 1 else 0

        # Address and lane count as one number, so that a full word carries into the address.
        cursor = unsigned(bits + lane_bits)
        position = Signal(bits)   # word of the position's first value
        group_lane = Signal(lane_bits)
        following = Signal(cursor)  # after the last value
        successor = Signal(cursor)  # where the next group starts at the first position

        now, after = Signal(cursor), Signal(cursor)
        with m.If(~place.first):
            m.d.comb += now.eq(following)
        with m.Elif(place.new_group):
            m.d.comb += now.eq(successor)
        with m.Else():
            m.d.comb += now.eq(Cat(group_lane, position))
        m.d.comb += after.eq(now + Mux(layer.logits, 1 << lane_bits, 1))

        next_position = now[lane_bits:] + layer.output_step
        if self._config.pixels > 1:
            next_position = self._next_in_strip(m, now[lane_bits:], next_position)
        with m.If(self.places.valid):
            m.d.sync += following.eq(after)
            with m.If(place.new_group):
                m.d.sync += successor.eq(after)
            with m.If(place.first):
                m.d.sync += position.eq(next_position)
                m.d.sync += group_lane.eq(now[:lane_bits])
        with m.If(self.start):
            lane = layer.output_lane[:lane_bits] if self._config.packing else Const(0, lane_bits)
            m.d.sync += successor.eq(Cat(lane, layer.output_base))

        m.d.comb += [self.lane.eq(now[:lane_bits]), self.address.eq(now[lane_bits:])]
        return m

    def _next_in_strip(self, m, word, next_word):
        """Word of the next position, which after a strip's last is that of the group's first."""
        place = self.places.p
        origin = Signal(self.bits)  # word of the group's first position
        count = Signal(self._config.count_bits)  # of the position in its strip
        next_count = Signal.like(count)
        held_bank, next_bank = Signal.like(self.bank), Signal.like(self.bank)
        ends = Signal()

        m.d.comb += [
            count.eq(Mux(place.new_group, 1, next_count)),
            ends.eq(count == self.layer.strip_positions),
            self.bank.eq(Mux(place.first, Mux(place.new_group, 0, next_bank), held_bank)),
        ]
        with m.If(self.places.valid & place.first):
            m.d.sync += [
                held_bank.eq(self.bank),
                next_bank.eq(self.bank + ends),
                next_count.eq(Mux(ends, 1, count + 1)),
            ]
            with m.If(place.new_group):
                m.d.sync += origin.eq(word)
        return Mux(ends, Mux(place.new_group, word, origin), next_word)
