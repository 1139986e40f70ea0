"""Line packing: from steps of positions, as they are built, to lines of lanes for the array."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2, exact_log2

from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import layer_layout, line_layout


def step_codes_layout(config: EngineConfig) -> data.StructLayout:
    """Positions of one row that were built in one step, position 0 lowest.

    Two bits say of each position what it is: `kept` weights are negative where `flag` is 1; what is
    not kept is a dropped weight where `flag` is 1, else padding. `last` marks a turn's last step.
    """
    return data.StructLayout({
        "kept": unsigned(config.construction),
        "flag": unsigned(config.construction),
        "last": unsigned(1),
        "row": range(config.rows),
        "last_row": unsigned(1),
    })


class LinePacker(wiring.Component):
    """Cuts or gathers steps into lines of 2^line_positions positions, without lines of padding.

    A line is real if its first position is, since padding ends what it pads. One line is held back
    until the next one, or the turn's end, tells whether it carries `chunk_end`. A step a clock if
    it makes at most one line, else a line a clock; latency 1 clock from the step that completes a
    line to the earliest clock in which it can leave, and it leaves with the next line of its row
    or at the end of the turn. Lines that are not taken stall the steps. Golden model: rows reshaped
    to (lines, lanes), padding lines left out.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    line_positions : In(3)
        At most log2(lanes); constant from two clocks before the first step on.
    steps : In(stream.Signature(step_codes_layout(config)))
        From a multiple of 32 positions to a multiple of 32 positions in each turn.
    lines : Out(stream.Signature(line_layout(config)))
    pending : Out(1)
        A line has been begun and not taken.
    """

    def __init__(self, config: EngineConfig):
        check_config("LinePacker", config)
        self._config = config
        super().__init__({
            "line_positions": In(layer_layout(config)["line_positions"].shape),
            "steps": In(stream.Signature(step_codes_layout(config))),
            "lines": Out(stream.Signature(line_layout(config))),
            "pending": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.cutter = cutter = LineCutter(self._config)

        step = self.steps.p
        # Without a reset, so that flip-flops have theirs for lanes of which there is nothing yet.
        line = Signal(line_layout(self._config), reset_less=True)
        held = Signal()
        closed = Signal()  # the held line is its turn's last

        piece = self.steps.valid
        ends = step.last & cutter.step_done
        m.d.comb += [
            cutter.line_positions.eq(self.line_positions),
            cutter.kept.eq(step.kept),
            cutter.flag.eq(step.flag),
            self.lines.valid.eq(held & (closed | (piece & (cutter.complete | ends)))),
            self.lines.payload.eq(line),
            self.lines.p.chunk_end.eq(closed | ~cutter.complete),
            # A piece waits if it needs the held line gone and that stays.
            cutter.step.eq(piece & (~held | self.lines.ready | ~(cutter.complete | ends))),
            self.steps.ready.eq(cutter.step & cutter.step_done),
            self.pending.eq(held | piece),
        ]

        with m.If(self.lines.valid & self.lines.ready):
            m.d.sync += held.eq(0)
        with m.If(cutter.step & cutter.complete):
            m.d.sync += [
                held.eq(1),
                closed.eq(ends),
                line.positive.eq(cutter.positive),
                line.negative.eq(cutter.negative),
                line.row.eq(step.row),
                line.last_row.eq(step.last_row),
            ]

        return m


class LineCutter(wiring.Component):
    """Finds the positions of each line: a piece of a step, or the last of several steps.

    Combinational but for the place in the line and the steps of a line so far; `step` moves on by
    one piece, which is the smaller of a step and a line.

    Members
    -------
    line_positions : In(3)
    kept, flag : In(construction)
        The step at hand; it stays until a piece with `step_done`.
    step : In(1)
    step_done : Out(1)
        This piece is the step's last.
    complete : Out(1)
        This piece completes a line that is not all padding.
    positive, negative : Out(lanes)
        That line; 0 beyond its positions.
    """

    def __init__(self, config: EngineConfig):
        check_config("LineCutter", config)
        self._config = config
        super().__init__({
            "line_positions": In(layer_layout(config)["line_positions"].shape),
            "kept": In(config.construction),
            "flag": In(config.construction),
            "step": In(1),
            "step_done": Out(1),
            "complete": Out(1),
            "positive": Out(config.lanes),
            "negative": Out(config.lanes),
        })

    def elaborate(self, platform):
        m = Module()

        width, lanes = self._config.construction, self._config.lanes
        size = self.line_positions
        width_log, lanes_log = exact_log2(width), exact_log2(lanes)

        # Where the piece stands: in the step if lines are shorter than a step, else in the line.
        at = Signal(max(width_log, lanes_log))

        # What the size of a line decides, in registers: the path of `ready` leads through here.
        spans = Signal(lanes_log + 1)  # bit n: lines have 2^n positions at least
        gathers = Signal()             # steps to a line
        piece = Signal(width_log + 1)
        wraps = Signal(len(at))        # bits of `at` that count
        inside = Signal(len(at))       # ... of them those that do not tell the last piece
        m.d.sync += [
            spans.eq(Cat(size >= log for log in range(lanes_log + 1))),
            gathers.eq(size >= width_log),
            piece.eq(Cat(*(size == log for log in range(width_log)), size >= width_log)),
            wraps.eq(Cat((log < width_log) | (size > log) for log in range(len(at)))),
            inside.eq(Cat((size > log) ^ (log >= width_log) for log in range(len(at)))),
        ]

        # The line that begins at this piece, as far as the step has it.
        in_step = at[:width_log]
        logs = [ceil_log2(lane + 1) for lane in range(min(width, lanes))]
        kept, flag = (
            Cat(pick(bits, in_step, lane, log) & spans[log] for lane, log in enumerate(logs))
            for bits in (self.kept, self.flag)
        )
        first_real = Signal()  # of the line that earlier steps began
        real = Mux(gathers & at[width_log:].any(), first_real, kept[0] | flag[0])
        whole = (at | inside).all()
        following = (at + piece) & wraps
        m.d.comb += [
            self.step_done.eq(gathers | whole),
            self.complete.eq(real & (~gathers | whole)),
        ]
        with m.If(self.step):
            m.d.sync += [at.eq(following), first_real.eq(real)]

        for weights, line in ((kept & ~flag, self.positive), (kept & flag, self.negative)):
            if lanes <= width:
                m.d.comb += line.eq(weights)
                continue
            # Segments of earlier steps, and the step at hand in its own place. A step of such a
            # line is whole.
            for segment in range(lanes // width):
                earlier = Signal(width, name=f"segment{segment}")
                place = at[width_log:]
                part = line.word_select(segment, width)
                m.d.comb += part.eq(
                    Mux(place == segment, weights, Mux(place > segment, earlier, 0))
                )
                with m.If(self.step & (place == segment)):
                    m.d.sync += earlier.eq(weights)

        return m


def pick(bits, at, lane, log):
    """Bit at + lane of a step, where `at` is a multiple of 2^log and lane < 2^log (or 0)."""
    return bits[lane :: 1 << log].bit_select(at[log:], 1)
