"""The nest of loops of a layer: for each line its address, and where the window stands."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola_hw.interfaces import address_bits, layer_layout, part_lanes
from tombola_hw.strip_position import StripPosition
from tombola_hw.window_position import WindowPosition


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
    part : Out(range(lanes // part_lanes(config)))
        As in a step; only where there are several.
    last_of_window : Out(1)
        The position is the last of a window whose maximum is written; only with fused pooling.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        self._width = address_bits(config.activation_words)
        self._parts = config.lanes // part_lanes(config)
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
            **({"part": Out(range(self._parts))} if self._parts > 1 else {}),
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
        whole_word = self._whole_word(m) if self._parts > 1 else 1
        if self._config.grouped:
            group_step = Mux(self._repeated(m), group_step, 0)
        else:
            group_step = Mux(whole_word, group_step, 0)
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
        bits |= dict.fromkeys(("kernel_width", "kernel_height"), self._config.small_bits)
        if self._config.planes > 1:
            # The activations stay while the planes of a line come.
            loops.insert(0, ("plane", layer.planes, 0))
            bits["plane"] = len(layer.planes)
        # Loops that return to a base of their own, unless their steps lead from the last word.
        outer = 0 if self._config.steps_from_last else 4
        if self._config.fused_pooling:
            # Positions of a window, inside the loops over what is written.
            at = len(loops) - 3
            loops[at:at] = [
                ("pool_width", layer.pool_width, layer.pool_column_step),
                ("pool_height", layer.pool_height, pool_down),
            ]
            bits |= dict.fromkeys(("pool_width", "pool_height"), self._config.count_bits)
            outer += 2 if outer else 0
        # The number of the turn after the one in force, 1 during the last: it says beforehand
        # whether that turn is the last, so that no comparison is in the way of an address.
        ahead = {
            name: Signal(bits[name], init=1, name=f"{name}_ahead") for name, _, _ in loops
        }
        # Of a layer with bases to return to, all turns are the last until it starts, so that the
        # start need not be looked at in choosing one.
        last = {name: Signal(init=bool(outer), name=f"{name}_last") for name, _, _ in loops}
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

        # Innermost loops share the running address; outer ones may return to their bases.
        # One adder serves all: the outermost loop that goes on chooses base and step, and every
        # register inside it takes the sum. The choice is made without `advance`, which comes late.
        running = len(loops) - outer
        bases = [self.address] * running + [
            Signal(self._width, name=f"{name}_base") for name, _, _ in loops[running:]
        ]
        target = Signal(self._width)
        base = 0 if outer else Mux(self.start, 0, self.address)
        step = Mux(self.start, layer.input_base, 0)
        ended = 1 if outer else ~self.start  # every loop inside this one is at its last turn
        for index, (name, count, loop_step) in enumerate(loops):
            steps = self.start | (self.advance & ended)
            final = ahead[name] == count
            with m.If(steps):
                m.d.sync += [last[name].eq(final), ahead[name].eq(ahead[name] + 1)]
            with m.If((steps & final) | ~(self.busy | self.start)):
                m.d.sync += ahead[name].eq(1)
            if outer:
                with m.If(~(self.busy | self.start)):
                    m.d.sync += last[name].eq(1)
            if index >= running:
                with m.If(steps):
                    m.d.sync += bases[index].eq(target)
            chosen = ended & ~last[name]
            if outer:
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
            position.advance.eq(self.advance),
            position.across.eq(across),
            position.down.eq(across & last["kernel_width"]),
            position.next_column.eq(ends),
            position.next_row.eq(ends & last["out_width"]),
            position.next_group.eq(self.last_line & self.last_position),
            self.inside.eq(position.inside),
        ]
        if self._config.fused_pooling:
            m.d.comb += [
                position.pool_column.eq(self.last_line),
                position.pool_row.eq(self.last_line & last["pool_width"]),
            ]
        return m

    def _whole_word(self, m):
        """Whether the group in force is the last that pools the same words; a convolution's step
        is 0 in any case."""
        maxima, sums = (
            lanes // part_lanes(self._config)
            for lanes in (self._config.maximum_lanes, self._config.average_lanes)
        )
        maximum = self.layer.operation == Operation.MAX_POOL
        size, part = Signal.like(self.part), Signal.like(self.part)
        last = Signal()  # known beforehand, so that no addition is in the way of an address
        m.d.comb += [
            size.eq(Mux(maximum, maxima, sums)),
            part.eq(Mux(self.start, 0, self.part + size)),
        ]
        with m.If(self.start | (self.advance & self.last_line & self.last_position)):
            m.d.sync += [self.part.eq(part), last.eq((part + size)[: len(part)] == 0)]
        return last

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
