"""The fetch unit: walks a layer's loops and issues one line of activations and weights a clock."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola_hw.fetch_loops import FetchLoops
from tombola_hw.interfaces import address_bits, layer_layout, step_layout
from tombola_hw.residual import ResidualWalk


class Fetch(wiring.Component):
    """Issues the lines of one layer in the order groups, positions, kernel, channels, planes.

    One line a clock, unless the weight buffer has none or the output unit is still busy with the
    position before: the `last` lines of two positions are at least as many clocks apart as the
    first of them has channels, so that nothing downstream needs back-pressure. With
    `config.compact` a clock without a line follows each position's last. `steps` describes a
    line one clock after its address, together with the words that the memories then deliver.
    Golden model: the loops of `tombola.spec.reference`.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout(config))
        Constant from `start` to the end of the layer.
    start : In(1)
        Begins a layer; the first line is issued in the next clock, or the second if not `compact`.
    available : In(1)
        The weight buffer holds the line that `advance` would take.
    advance, rewind, release : Out(1)
        To the weight buffer: take a line; it was the position's last, go back to the group's first;
        the group has no further position, free the line.
    address : Out
        Activation word of the line being issued.
    turn : Out(log2(pixels))
        Only with several pixels: pixel p finds its word in memory ``(p + turn) % pixels``.
    steps : Out(stream.Signature(step_layout(config), always_ready=True))
    residual : Out(1)
        The word that the memory now delivers is one of the residual; if `config.residual`.
    busy : Out(1)
        From `start` until the last line is issued.
    waits_weights, waits_output : Out(1)
        No line is issued in this clock, and why.
    """

    def __init__(self, config: EngineConfig):
        if not isinstance(config, EngineConfig):
            raise TypeError(f"Fetch config must be an EngineConfig, not {config!r}")
        self._config = config
        self.address_bits = address_bits(config.activation_words)
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "available": In(1),
            "advance": Out(1),
            "rewind": Out(1),
            "release": Out(1),
            "address": Out(self.address_bits),
            **({"turn": Out(config.turn_bits)} if config.pixels > 1 else {}),
            "steps": Out(stream.Signature(step_layout(config), always_ready=True)),
            "busy": Out(1),
            "waits_weights": Out(1),
            "waits_output": Out(1),
            **({"residual": Out(1)} if config.residual else {}),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.loops = loops = FetchLoops(self._config)
        m.submodules.channels = channels = GroupChannels(self._config)

        step = self.steps.payload
        convolves = self.layer.operation == Operation.CONVOLVE
        first = Signal()
        new_group = Signal()
        spacing = Signal(range(max(2, self._config.sum_channels)))
        free = Signal()  # the output unit is done with the position before
        resting = Signal()
        begin = Signal()
        # Where there are cells for it, the sizes of the first group are known before its lines.
        m.d["comb" if self._config.compact else "sync"] += begin.eq(self.start)

        m.d.comb += [
            loops.layer.eq(self.layer),
            loops.start.eq(begin),
            loops.advance.eq(
                loops.busy
                & ~resting
                & (self.available | ~convolves)
                & (free | ~loops.last_line)
            ),
            channels.layer.eq(self.layer),
            channels.start.eq(self.start),
            channels.advance.eq(loops.advance & loops.last_line & loops.last_position),
            self.address.eq(loops.address),
            self.busy.eq(loops.busy),
            self.advance.eq(loops.advance & convolves),
            self.rewind.eq(loops.last_line & ~loops.last_position),
            self.release.eq(loops.last_position),
            self.waits_weights.eq(loops.busy & convolves & ~self.available),
            self.waits_output.eq(loops.busy & loops.last_line & ~free),
        ]

        m.d.sync += [
            self.steps.valid.eq(loops.advance),
            step.first.eq(first),
            step.last.eq(loops.last_line),
            step.inside.eq(loops.inside),
            step.new_group.eq(new_group),
            step.end.eq(loops.last_line & loops.last_position & loops.last_group),
            step.count.eq(channels.count),
        ]
        if "part" in step.shape().members:
            m.d.sync += step.part.eq(loops.part)
        if self._config.planes > 1:
            m.d.sync += step.more.eq(~loops.last_plane)
        if self._config.fused_pooling:
            window_first = Signal()
            m.d.sync += [
                step.window_first.eq(window_first),
                step.window_last.eq(loops.last_of_window),
            ]
            with m.If(self.start):
                m.d.sync += window_first.eq(1)
            with m.Elif(loops.advance & loops.last_line):
                m.d.sync += window_first.eq(loops.last_of_window)
        if self._config.compact:
            m.d.sync += resting.eq(loops.advance & loops.last_line)
        if self._config.pixels > 1:
            m.d.comb += self.turn.eq(loops.turn)
        if self._config.compact:
            m.d.comb += free.eq(spacing == 0)
        else:
            # A register, since all that a line moves on hangs on it.
            with m.If(self.start | (spacing == 1)):
                m.d.sync += free.eq(1)
            with m.Elif(loops.advance & loops.last_line):
                m.d.sync += free.eq(channels.single)
        with m.If(spacing != 0):
            m.d.sync += spacing.eq(spacing - 1)
        with m.If(loops.advance):
            m.d.sync += first.eq(loops.last_line)
            with m.If(loops.last_line):
                m.d.sync += spacing.eq(channels.count)
                m.d.sync += new_group.eq(loops.last_position)
        with m.If(self.start):
            m.d.sync += [first.eq(1), new_group.eq(1), spacing.eq(0)]
        if self._config.residual:
            self._read_residual(m, loops, channels, resting)
        return m

    def _read_residual(self, m, loops, channels, resting):
        """No line is issued in the clocks that belong to words of the residual."""
        m.submodules.residual = walk = ResidualWalk(self._config)
        m.d.comb += [
            walk.layer.eq(self.layer),
            walk.start.eq(self.start),
            walk.position.eq(loops.advance & loops.last_line),
            walk.last_position.eq(loops.last_position),
            walk.count.eq(channels.count),
            resting.eq(walk.reading),
        ]
        with m.If(walk.reading):
            m.d.comb += self.address.eq(walk.address)
            if self._config.pixels > 1:
                m.d.comb += self.turn.eq(walk.turn)
        m.d.sync += self.residual.eq(walk.reading)


class GroupChannels(wiring.Component):
    """Channels of the group in force: `group_size` of them, or what the last group has left.

    `count` is one less than the number of channels; it and `single`, that there is but one, are
    right from the clock after `start` or `advance`, or the second if not `compact`: groups of
    several channels take longer, and those of one are all alike.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "advance": In(1),
            "count": Out(range(max(2, config.sum_channels))),
            "single": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        left = Signal(self._config.count_bits)
        beyond = Signal(signed(len(left) + 1))
        rows, maxima, sums = map(self._config.group_size, Operation)
        operation = self.layer.operation
        size = Mux(operation == Operation.AVERAGE_POOL, sums, maxima) if sums != maxima else sums
        size = Mux(operation == Operation.CONVOLVE, rows, size)
        if self._config.grouped:
            size = self.layer.group_channels

        m.d.comb += beyond.eq(left - size)
        fewer = beyond < 0
        m.d["comb" if self._config.compact else "sync"] += [
            self.count.eq(Mux(fewer, left, size) - 1),
            self.single.eq(Mux(fewer, left == 1, size == 1)),
        ]
        with m.If(self.start | self.advance):
            m.d.sync += left.eq(Mux(self.start, self.layer.channels, beyond))
        return m
