"""The fetch unit: walks a layer's loops and issues one line of activations and weights a clock."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola_hw.interfaces import address_bits, layer_layout, step_layout
from tombola_hw.residual import ResidualWalk
from tombola_hw.strip_position import StripPosition
from tombola_hw.window_position import WindowPosition


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
        Begins a layer; the first line is issued in the next clock.
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
        resting = Signal()

        m.d.comb += [
            loops.layer.eq(self.layer),
            loops.start.eq(self.start),
            loops.advance.eq(
                loops.busy
                & ~resting
                & (self.available | ~convolves)
                & ((spacing == 0) | ~loops.last_line)
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
    """Channels of the group in force: all rows (pooling: lanes), or what the last group has left.

    `count` is one less than the number of channels and is right from the clock after `start` or
    `advance`.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "advance": In(1),
            "count": Out(range(max(2, config.sum_channels))),
        })

    def elaborate(self, platform):
        m = Module()
        left = Signal(self._config.count_bits)
        following = Signal.like(left)
        rows, lanes = self._config.rows, self._config.lanes
        size = Mux(self.layer.operation == Operation.CONVOLVE, rows, lanes)
        if self._config.grouped:
            size = self.layer.group_channels

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
    turn, inside
        As in `Fetch` and in a step.
    last_line, last_position, last_group : Out(1)
        The line is the last of its output position, the position the last of its group, the group
        the last of the layer.
    last_plane : Out(1)
        The line does not come again for a further plane; only with several planes.
    last_of_window : Out(1)
        The position is the last of a window whose maximum is written; only with fused pooling.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        self._width = address_bits(config.activation_words)
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "advance": In(1),
            "busy": Out(1),
            "address": Out(self._width),
            **({"turn": Out(config.turn_bits)} if config.pixels > 1 else {}),
            "inside": Out(config.pixels),
            "last_line": Out(1),
            "last_position": Out(1),
            "last_group": Out(1),
            **({"last_plane": Out(1)} if config.planes > 1 else {}),
            **({"last_of_window": Out(1)} if config.fused_pooling else {}),
        })

    def elaborate(self, platform):
        m = Module()
        layer = self.layer
        down, further = layer.kernel_row_step, layer.line_step
        pool_down = layer.pool_row_step if self._config.fused_pooling else 0
        position = (StripPosition if self._config.pixels > 1 else WindowPosition)(self._config)
        if self._config.pixels > 1:
            down = Mux(position.row_ends, layer.kernel_row_wrap, down)
            further = Mux(position.window_ends, layer.line_wrap, further)
            m.d.comb += self.turn.eq(position.turn)
            if self._config.fused_pooling:
                pool_down = Mux(position.pool_ends, layer.pool_row_wrap, pool_down)
        group_step = layer.group_step
        if self._config.grouped:
            group_step = Mux(self._repeated(m), group_step, 0)
        # Innermost first; the step is what the loop adds to its base when it goes on.
        loops = [
            ("inner", layer.inner, 1),
            ("kernel_width", layer.kernel_width, layer.column_step),
            ("kernel_height", layer.kernel_height, down),
            ("out_width", layer.out_width, layer.pixel_step),
            ("out_height", layer.out_height, further),
            ("groups", layer.groups, group_step),
        ]
        bits = dict.fromkeys((name for name, _, _ in loops), self._config.count_bits)
        if self._config.planes > 1:
            # The activations stay while the planes of a line come.
            loops.insert(0, ("plane", layer.planes, 0))
            bits["plane"] = len(layer.planes)
        outer = 4  # loops that return to a base of their own
        if self._config.fused_pooling:
            # Positions of a window, inside the loops over what is written.
            at = len(loops) - 3
            loops[at:at] = [
                ("pool_width", layer.pool_width, layer.pool_column_step),
                ("pool_height", layer.pool_height, pool_down),
            ]
            bits |= dict.fromkeys(("pool_width", "pool_height"), self._config.count_bits)
            outer += 2
        # The number of the turn after the one in force, 1 during the last: it says beforehand
        # whether that turn is the last, so that no comparison is in the way of an address.
        ahead = {
            name: Signal(bits[name], init=1, name=f"{name}_ahead") for name, _, _ in loops
        }
        last = {name: Signal(name=f"{name}_last") for name, _, _ in loops}
        across = last["inner"]
        if self._config.planes > 1:
            across = across & last["plane"]
            m.d.comb += self.last_plane.eq(last["plane"])
        ends, whole = self.last_line, last["out_width"] & last["out_height"]
        if self._config.fused_pooling:
            m.d.comb += self.last_of_window.eq(last["pool_width"] & last["pool_height"])
            ends, whole = ends & self.last_of_window, whole & self.last_of_window
        m.d.comb += [
            self.last_line.eq(across & last["kernel_width"] & last["kernel_height"]),
            self.last_position.eq(whole),
            self.last_group.eq(last["groups"]),
        ]

        # The innermost loops share the running address; the outer ones return to their bases.
        # One adder serves all: the outermost loop that goes on chooses base and step, and every
        # register inside it takes the sum. The choice is made without `advance`, which comes late.
        running = len(loops) - outer
        bases = [self.address] * running + [
            Signal(self._width, name=f"{name}_base") for name, _, _ in loops[running:]
        ]
        target = Signal(self._width)
        base, step = 0, Mux(self.start, layer.input_base, 0)
        ended = ~self.start  # every loop inside this one is at its last turn
        for index, (name, count, loop_step) in enumerate(loops):
            steps = self.start | (self.advance & ended)
            final = ahead[name] == count
            with m.If(steps):
                m.d.sync += [last[name].eq(final), ahead[name].eq(ahead[name] + 1)]
            with m.If((steps & final) | ~(self.busy | self.start)):
                m.d.sync += ahead[name].eq(1)
            if index >= running:
                with m.If(steps):
                    m.d.sync += bases[index].eq(target)
            chosen = ended & ~last[name]
            base = base | Mux(chosen, bases[index], 0)
            step = step | Mux(chosen, loop_step, 0)
            ended = ended & last[name]
        m.d.comb += target.eq(base + step[: self._width])
        with m.If(self.start):
            m.d.sync += self.busy.eq(1)
        with m.If(self.advance & ended):
            m.d.sync += self.busy.eq(0)
        with m.If(self.start | self.advance):
            m.d.sync += self.address.eq(target)

        m.submodules.position = position
        m.d.comb += [
            position.layer.eq(layer),
            position.start.eq(self.start),
            position.across.eq(self.advance & across),
            position.down.eq(self.advance & across & last["kernel_width"]),
            position.next_column.eq(self.advance & ends),
            position.next_row.eq(self.advance & ends & last["out_width"]),
            position.next_group.eq(self.advance & self.last_line & self.last_position),
            self.inside.eq(position.inside),
        ]
        if self._config.fused_pooling:
            m.d.comb += [
                position.pool_column.eq(self.advance & self.last_line),
                position.pool_row.eq(self.advance & self.last_line & last["pool_width"]),
            ]
        return m

    def _repeated(self, m):
        """Whether the group in force is the last that reads the same words."""
        layer = self.layer
        ahead, last = Signal(self._config.count_bits, init=1), Signal()
        final = ahead == layer.group_repeats
        with m.If(self.start | (self.advance & self.last_line & self.last_position)):
            m.d.sync += [last.eq(final), ahead.eq(Mux(final, 1, ahead + 1))]
        with m.Elif(~self.busy):
            m.d.sync += ahead.eq(1)
        return last
