"""Grouped convolutions: the weights of a channel go to the lanes that its inputs stand in."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import layer_layout, line_layout


class LaneShifter(wiring.Component):
    """Shifts the lines of each row, ``layer.lane_step`` lanes further every `lane_channels` rows.

    Each row is one chunk. Latency: 0. Throughput: a line a clock; back-pressure passes. Golden
    model: lane ``lane + channel // lane_channels * lane_step`` modulo the lanes.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout(config))
    start : In(1)
        A layer begins: the next line is of channel 0.
    lines : In(stream.Signature(line_layout(config)))
    shifted : Out(stream.Signature(line_layout(config)))
    """

    def __init__(self, config: EngineConfig):
        check_config("LaneShifter", config)
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "lines": In(stream.Signature(line_layout(config))),
            "shifted": Out(stream.Signature(line_layout(config))),
        })

    def elaborate(self, platform):
        m = Module()
        lane = Signal(exact_log2(self._config.lanes))
        channel = Signal(self._config.count_bits, init=1)  # of those with this lane, from 1

        m.d.comb += [
            self.shifted.p.eq(self.lines.p),
            self.shifted.p.positive.eq(self.lines.p.positive << lane),
            self.shifted.p.negative.eq(self.lines.p.negative << lane),
            self.shifted.valid.eq(self.lines.valid),
            self.lines.ready.eq(self.shifted.ready),
        ]
        further = channel == self.layer.lane_channels
        with m.If(self.lines.valid & self.lines.ready & self.lines.p.chunk_end):
            m.d.sync += [
                channel.eq(Mux(further, 1, channel + 1)),
                lane.eq(lane + Mux(further, self.layer.lane_step, 0)),
            ]
        with m.If(self.start):
            m.d.sync += [channel.eq(1), lane.eq(0)]
        return m
