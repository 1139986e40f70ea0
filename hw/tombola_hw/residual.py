"""Residual inputs: where the words of a further tensor lie, and the values in them."""

from amaranth import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tombola.spec.engine import ACTIVATION_BITS, OPERAND_BITS, EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import (
    address_bits,
    each_pixel,
    layer_layout,
    of_pixels,
    pixels_layout,
)
from tombola_hw.serialiser import place_layout


def most_words(config: EngineConfig) -> int:
    """Words in which the channels of one group lie, at most: a group may begin in any lane."""
    return (config.lanes - 1 + config.rows - 1) // config.lanes + 1


class ResidualWalk(wiring.Component):
    """Reads the words of the further tensor that belong to a position, after its last line.

    Throughput: a word a clock, from the clock after `position` on; meanwhile no line is issued and
    no other position ends. Golden model: words ``residual_base + position * residual_step +
    channel // lanes`` for the channels of a group, each once. With several pixels they go on in the
    next memory after `strip_positions` positions, from the group's first word again.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout(config))
    start : In(1)
    position, last_position : In(1)
        The last line of an output position is issued; it is the last of its group.
    count : In(range(sum_channels))
        Channels of the group in force, less 1.
    reading : Out(1)
        `address` is to be read in this clock.
    address : Out(address_bits(activation_words))
    turn : Out(log2(pixels))
        The memory in which pixel 0's word lies; only with several pixels.
    """

    def __init__(self, config: EngineConfig):
        check_config("ResidualWalk", config)
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "position": In(1),
            "last_position": In(1),
            "count": In(range(max(2, config.sum_channels))),
            "reading": Out(1),
            "address": Out(address_bits(config.activation_words)),
            **({"turn": Out(config.turn_bits)} if config.pixels > 1 else {}),
        })

    def elaborate(self, platform):
        m = Module()
        layer, bits = self.layer, len(self.address)
        lane_bits = exact_log2(self._config.lanes)

        # Word and lane of the group's first value count as one number.
        group = Signal(bits + lane_bits)   # at the first position
        following = Signal.like(group)     # the next group's
        place = Signal(bits)               # word of the position's first value
        left = Signal(range(most_words(self._config) + 1))

        m.d.comb += [
            following.eq(group + self.count + 1),
            self.reading.eq(left != 0),
        ]
        next_place = place + layer.residual_step
        if self._config.pixels > 1:
            next_place = Mux(self._strip_ends(m), group[lane_bits:], next_place)
        with m.If(self.reading):
            m.d.sync += [self.address.eq(self.address + 1), left.eq(left - 1)]
        with m.If(self.position & layer.residual):
            m.d.sync += [
                self.address.eq(place),
                left.eq(((group[:lane_bits] + self.count) >> lane_bits) + 1),
                place.eq(Mux(self.last_position, following[lane_bits:], next_place)),
            ]
            with m.If(self.last_position):
                m.d.sync += group.eq(following)
        with m.If(self.start):
            m.d.sync += [
                group.eq(Cat(Const(0, lane_bits), layer.residual_base)),
                place.eq(layer.residual_base),
                left.eq(0),
            ]
        return m

    def _strip_ends(self, m):
        """Whether the position is the last in its memory."""
        count = Signal(self._config.count_bits, init=1)  # of the position in its strip
        bank = Signal(self._config.turn_bits)
        ends = Signal()
        m.d.comb += ends.eq(count == self.layer.strip_positions)
        with m.If(self.position):
            m.d.sync += [self.turn.eq(bank), bank.eq(bank + ends), count.eq(count + 1)]
        with m.If(self.position & (ends | self.last_position)):
            m.d.sync += count.eq(1)
        with m.If(self.start | (self.position & self.last_position)):
            m.d.sync += [bank.eq(0), count.eq(1)]
        return ends


class ResidualQueue(wiring.Component):
    """Keeps words of the further tensor until the sums they belong to are requantised.

    Latency: `value` is that of the place of a clock before. Throughput: a word and a place a clock,
    no back-pressure. Golden model: a list of words, each taken up at the place of its first channel
    of a position.

    Parameters
    ----------
    config : EngineConfig
    ahead : int
        Clocks from the first word of a position to the position's first place, at most.

    Members
    -------
    layer : In(layer_layout(config))
    start : In(1)
        A layer begins: all words are forgotten.
    push, word : In(1), In(pixels_layout(config))
        A word a pixel to keep; they can be taken up in the next clock.
    places : In(stream.Signature(place_layout(config), always_ready=True))
    value : Out(each_pixel(config, signed(9)))
        0 in a layer without a further tensor.
    """

    def __init__(self, config: EngineConfig, *, ahead: int):
        check_config("ResidualQueue", config)
        self._config = config
        words = most_words(config)
        # Positions are at least a line and their words apart; one may be read, one written.
        need = -(-ahead * words // (words + 1)) + 2 * words + 1
        self._depth = 1 << (need - 1).bit_length()
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "push": In(1),
            "word": In(pixels_layout(config)),
            "places": In(stream.Signature(place_layout(config), always_ready=True)),
            "value": Out(each_pixel(config, signed(OPERAND_BITS))),
        })

    def elaborate(self, platform):
        m = Module()
        place, layer = self.places.p, self.layer
        m.submodules.words = memory = Memory(
            shape=unsigned(len(self.word.as_value())), depth=self._depth, init=[]
        )
        writer, reader = memory.write_port(), memory.read_port(domain="comb")

        tail, head = Signal(range(self._depth)), Signal(range(self._depth))
        m.d.comb += [
            writer.en.eq(self.push),
            writer.addr.eq(tail),
            writer.data.eq(self.word),
        ]
        with m.If(self.push):
            m.d.sync += tail.eq(tail + 1)

        # As `Placement` counts lanes, without addresses.
        lane_bits = exact_log2(self._config.lanes)
        group, following, successor, lane = (
            Signal(lane_bits, name=name) for name in ("group", "following", "successor", "lane")
        )
        begun = Signal()  # the word at `head` has been taken up, in part
        index = Signal.like(head)
        full = lane == self._config.lanes - 1
        m.d.comb += [
            lane.eq(Mux(~place.first, following, Mux(place.new_group, successor, group))),
            index.eq(head + (place.first & begun)),
            reader.addr.eq(index),
        ]
        with m.If(self.places.valid):
            m.d.sync += [following.eq(lane + 1), head.eq(index + full), begun.eq(~full)]
            with m.If(place.first):
                m.d.sync += group.eq(lane)
            with m.If(place.new_group):
                m.d.sync += successor.eq(lane + 1)
        with m.If(self.start):
            m.d.sync += [tail.eq(0), head.eq(0), begun.eq(0), successor.eq(0)]

        width = ACTIVATION_BITS * self._config.lanes
        for pixel, value in enumerate(of_pixels(self._config, self.value)):
            word = reader.data[pixel * width :][:width]
            byte = word.word_select(lane, ACTIVATION_BITS) if lane_bits else word
            sign = byte[-1] & layer.residual_signed
            m.d.sync += value.eq(Mux(layer.residual, Cat(byte, sign).as_signed(), 0))
        return m
