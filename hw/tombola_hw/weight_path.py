"""The weight path: constructor and buffer, from ticket memory to lines for the array."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from tombola.spec.engine import EngineConfig
from tombola_hw.constructor import WeightConstructor
from tombola_hw.interfaces import address_bits, layer_layout, weights_layout
from tombola_hw.start_state import seed_layout
from tombola_hw.weight_buffer import WeightBuffer


class WeightPath(wiring.Component):
    """Builds the weights of a layer ahead of their use; see its two cores for rates and latencies.

    Members
    -------
    layer, start, seed, turn
        The layer in force; `start` is given to convolutions only, `flush` before every layer.
    read_address, read_data
        Ticket memory, this path's own while a layer runs.
    available, advance, rewind, release, weights
        The buffer's reader side.
    busy : Out(1)
        Weights are still to be built.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "flush": In(1),
            "seed": In(seed_layout()),
            "turn": Out(1),
            "read_address": Out(address_bits(config.ticket_words)),
            "read_data": In(32),
            "available": Out(1),
            "advance": In(1),
            "rewind": In(1),
            "release": In(1),
            "weights": Out(weights_layout(config)),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.constructor = constructor = WeightConstructor(self._config)
        m.submodules.buffer = buffer = WeightBuffer(self._config)

        connect(m, constructor.lines, buffer.lines)
        m.d.comb += [
            constructor.layer.eq(self.layer),
            constructor.start.eq(self.start),
            constructor.seed.eq(self.seed),
            self.turn.eq(constructor.turn),
            constructor.read_data.eq(self.read_data),
            self.read_address.eq(constructor.read_address),
            self.busy.eq(constructor.busy),
            buffer.flush.eq(self.flush),
            buffer.advance.eq(self.advance),
            buffer.rewind.eq(self.rewind),
            buffer.release.eq(self.release),
            self.available.eq(buffer.available),
            self.weights.eq(buffer.weights),
        ]
        return m
