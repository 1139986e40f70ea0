"""The fetch unit: walks a layer's loops and issues one line of activations and weights a clock."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.descriptor import COUNT_BITS, Operation
from tombola.spec.engine import EngineConfig
from tombola_hw.interfaces import address_bits, layer_layout, step_layout


class Fetch(wiring.Component):
    """Issues the lines of one layer in the order groups, output positions, kernel, channels.

    One line a clock, unless the weight buffer has none or the output unit is still busy with the
    position before: the `last` lines of two positions are at least as many clocks apart as the
    first of them has channels, so that nothing downstream needs back-pressure. `steps` describes a
    line one clock after its address, together with the words that the memories then deliver.
    Golden model: the loops of `tombola.spec.reference`.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout())
        Constant from `start` to the end of the layer.
    start : In(1)
        Begins a layer; the first line is issued in the next clock.
    available : In(1)
        The weight buffer holds the line that `advance` would take.
    advance, rewind, release : Out(1)
        To the weight buffer: take a line; it was the position's last, go back to the group's first;
        the group has no further position, free the line.
    address : Out
        Activation word of the line being issued.
    steps : Out(stream.Signature(step_layout(config), always_ready=True))
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
            "layer": In(layer_layout()),
            "start": In(1),
            "available": In(1),
            "advance": Out(1),
            "rewind": Out(1),
            "release": Out(1),
            "address": Out(self.address_bits),
            "steps": Out(stream.Signature(step_layout(config), always_ready=True)),
            "busy": Out(1),
            "waits_weights": Out(1),
            "waits_output": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.loops = loops = FetchLoops(self.address_bits)
        m.submodules.channels = channels = GroupChannels(self._config)

        step = self.steps.payload
        convolves = self.layer.operation == Operation.CONVOLVE
        first = Signal()
        new_group = Signal()
        spacing = Signal(range(max(2, self._config.sum_channels)))
        position_done = loops.last_line & (spacing == 0)

        m.d.comb += [
            loops.layer.eq(self.layer),
            loops.start.eq(self.start),
            loops.advance.eq(
                loops.busy & (self.available | ~convolves) & (position_done | ~loops.last_line)
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
            self.waits_output.eq(loops.busy & loops.last_line & (spacing != 0)),
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
        with m.If(spacing != 0):
            m.d.sync += spacing.eq(spacing - 1)
        with m.If(loops.advance):
            m.d.sync += first.eq(loops.last_line)
            with m.If(loops.last_line):
                m.d.sync += spacing.eq(channels.count)
                m.d.sync += new_group.eq(loops.last_position)
        with m.If(self.start):
            m.d.sync += [first.eq(1), new_group.eq(1), spacing.eq(0)]
        return m


class GroupChannels(wiring.Component):
    """Channels of the group in force: all rows (pooling: lanes), or what the last group has left.

    `count` is one less than the number of channels and is right from the clock after `start` or
    `advance`.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__({
            "layer": In(layer_layout()),
            "start": In(1),
            "advance": In(1),
            "count": Out(range(max(2, config.sum_channels))),
        })

    def elaborate(self, platform):
        m = Module()
        left = Signal(COUNT_BITS)
        following = Signal(COUNT_BITS)
        rows, lanes = self._config.rows, self._config.lanes
        size = Mux(self.layer.operation == Operation.CONVOLVE, rows, lanes)

        m.d.comb += following.eq(Mux(self.start, self.layer.channels, left - size))
        m.d.comb += self.count.eq(Mux(left < size, left, size) - 1)
        with m.If(self.start | self.advance):
            m.d.sync += left.eq(following)
        return m


class FetchLoops(wiring.Component):
    """The nest of counters of `Fetch` and the address and input position they stand for.

    Members
    -------
    advance : In(1)
        Step to the next line.
    address : Out
        Activation word of the line in force, modulo the memory.
    inside : Out(1)
        The window position lies within the input.
    last_line, last_position, last_group : Out(1)
        The line is the last of its output position, the position the last of its group, the group
        the last of the layer.
    """

    def __init__(self, width: int):
        self._width = width
        super().__init__({
            "layer": In(layer_layout()),
            "start": In(1),
            "advance": In(1),
            "busy": Out(1),
            "address": Out(width),
            "inside": Out(1),
            "last_line": Out(1),
            "last_position": Out(1),
            "last_group": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        layer = self.layer

        # Each loop counts what is left, so that its end is a comparison with 1. Innermost first;
        # the step is what the loop adds to its base address when it goes on.
        loops = [
            ("inner", layer.inner, 1),
            ("kernel_width", layer.kernel_width, layer.column_step),
            ("kernel_height", layer.kernel_height, layer.kernel_row_step),
            ("out_width", layer.out_width, layer.pixel_step),
            ("out_height", layer.out_height, layer.line_step),
            ("groups", layer.groups, layer.group_step),
        ]
        left = {name: Signal(COUNT_BITS, name=f"{name}_left") for name, _, _ in loops}
        last = {name: Signal(name=f"{name}_last") for name, _, _ in loops}
        # The two innermost loops share the running address; the others return to their bases.
        bases = {name: Signal(self._width, name=f"{name}_base") for name, _, _ in loops[2:]}
        bases["inner"] = bases["kernel_width"] = self.address
        x, y, window_x, window_y = (Signal(COUNT_BITS, name=n) for n in ("x", "y", "wx", "wy"))
        window_x_next = Mux(last["out_width"], layer.first_x, window_x + layer.stride_x)

        m.d.comb += [last[name].eq(left[name] == 1) for name in left]
        m.d.comb += [
            self.last_line.eq(last["inner"] & last["kernel_width"] & last["kernel_height"]),
            self.last_position.eq(last["out_width"] & last["out_height"]),
            self.last_group.eq(last["groups"]),
            # A position left of or above the input is a large number modulo 2^16.
            self.inside.eq((x < layer.in_width) & (y < layer.in_height)),
        ]

        ended = 1  # all loops inside this one are at their last turn
        for index, (name, count, step) in enumerate(loops):
            with m.If(self.advance & ended):
                m.d.sync += left[name].eq(Mux(last[name], count, left[name] - 1))
            with m.If(self.advance & ended & ~last[name]):
                target = (bases[name] + step)[: self._width]
                m.d.sync += self.address.eq(target)
                m.d.sync += [bases[inner].eq(target) for inner, _, _ in loops[2 : index + 1]]
            ended = ended & last[name]

        end_of_row = last["inner"] & last["kernel_width"]
        with m.If(self.advance & last["inner"]):
            m.d.sync += x.eq(x + 1)
        with m.If(self.advance & end_of_row):
            m.d.sync += [x.eq(window_x), y.eq(y + 1)]
        with m.If(self.advance & self.last_line):
            m.d.sync += [x.eq(window_x_next), window_x.eq(window_x_next), y.eq(window_y)]
            with m.If(last["out_width"]):
                following = Mux(last["out_height"], layer.first_y, window_y + layer.stride_y)
                m.d.sync += [y.eq(following), window_y.eq(following)]
        with m.If(self.advance & ended):
            m.d.sync += self.busy.eq(0)

        with m.If(self.start):
            m.d.sync += self.busy.eq(1)
            m.d.sync += [left[name].eq(count) for name, count, _ in loops]
            m.d.sync += [
                register.eq(layer.input_base)
                for register in (self.address, *(bases[name] for name, _, _ in loops[2:]))
            ]
            m.d.sync += [x.eq(layer.first_x), window_x.eq(layer.first_x)]
            m.d.sync += [y.eq(layer.first_y), window_y.eq(layer.first_y)]
        return m
