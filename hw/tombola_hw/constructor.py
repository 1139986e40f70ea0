"""Weight construction: from seed, mask bits and descriptor to the weight lines of a whole layer."""

from amaranth import Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola_hw.bit_layers import BitLayers
from tombola_hw.class_drawer import ClassDrawer
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import address_bits, layer_layout, line_layout
from tombola_hw.lane_shifter import LaneShifter
from tombola_hw.line_packer import LinePacker, step_codes_layout
from tombola_hw.mask_applier import MaskApplier
from tombola_hw.start_state import seed_layout
from tombola_hw.stream_register import StreamBuffer
from tombola_hw.turn_control import TurnControl
from tombola_hw.word_cutter import WordCutter


class WeightConstructor(wiring.Component):
    """Builds the weights of a convolution, channel group after channel group.

    A group is built chunk by chunk, a chunk row by row; a row that has further chunks leaves its
    state in a small memory until its next turn. Throughput: `construction` positions a clock
    within a turn, a line a clock at most; beside these a turn takes 10 clocks, 14 if the row has
    several chunks, and a layer some 20 to begin, 35 if it freezes. After a row shorter than this
    beginning the next one waits for its start states. Lines that are not taken stall construction
    anywhere. With several planes or stored weights a line comes once for each plane;
    `BitLayers` says how many clocks a word of 32 positions takes. Golden model:
    `spec.mask_code.decode` on `weight_stream.freeze_classes` and `negative`, cut into lines.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout(config))
        Constant while `busy`, but for the masks of a compact engine.
    seed : In(seed_layout())
        Written while not `busy`.
    turn : Out(1)
        The masks of `layer` are to turn, if the engine is compact.
    start : In(1)
        One clock, while not `busy`: build all groups of `layer`.
    busy : Out(1)
        From the clock after `start` until the last line is taken.
    read_address : Out(address_bits(ticket_words))
    read_data : In(32)
        Ticket memory, one clock after the address; this core's alone while `busy`.
    lines : Out(stream.Signature(line_layout(config)))
    """

    def __init__(self, config: EngineConfig):
        check_config("WeightConstructor", config)
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "seed": In(seed_layout()),
            "turn": Out(1),
            "start": In(1),
            "busy": Out(1),
            "read_address": Out(address_bits(config.ticket_words)),
            "read_data": In(WORD),
            "lines": Out(stream.Signature(line_layout(config))),
        })

    def elaborate(self, platform):
        m = Module()
        # Weights of several bits go word by word through the mask, once for each bit.
        layered = self._config.planes > 1 or self._config.stored
        m.submodules.control = control = TurnControl(self._config)
        m.submodules.drawer = drawer = ClassDrawer(self._config)
        m.submodules.applier = applier = MaskApplier(self._config)
        m.submodules.packer = packer = (WordCutter if layered else LinePacker)(self._config)

        connect(m, control.places, drawer.places)
        drained, pending = applier.drained, packer.pending
        if layered:
            m.submodules.layers = layers = BitLayers(self._config)
            connect(m, drawer.classes, layers.classes)
            connect(m, layers.asked, applier.classes)
            connect(m, applier.codes, layers.codes)
            connect(m, layers.words, packer.words)
            m.d.comb += [layers.layer.eq(self.layer), packer.layer.eq(self.layer)]
            drained, pending = drained & layers.drained, pending | layers.holds
        else:
            connect(m, drawer.classes, applier.classes)
            # Cuts the path of `ready`, from the lines back to the address of the ticket memory. On
            # an iCE40 UP5K with 8x4 it is 28 cells for 24.3 MHz instead of 21.8.
            m.submodules.buffer = buffer = StreamBuffer(step_codes_layout(self._config))
            connect(m, applier.codes, buffer.items)
            connect(m, buffer.delayed, packer.steps)
            if self._config.compact:
                # No step of a row is under way when the next row has its turn, so that the row need
                # not travel with each step: that saves 18 flip-flops.
                drained &= ~applier.holds & ~packer.steps.valid
                m.d.comb += [
                    packer.steps.p.row.eq(control.row),
                    packer.steps.p.last_row.eq(control.last_row),
                ]
        if self._config.grouped:
            m.submodules.shifter = shifter = LaneShifter(self._config)
            connect(m, packer.lines, shifter.lines)
            connect(m, shifter.shifted, flipped(self.lines))
            m.d.comb += [shifter.layer.eq(self.layer), shifter.start.eq(self.start)]
        else:
            connect(m, packer.lines, flipped(self.lines))
        m.d.comb += [
            control.layer.eq(self.layer),
            control.seed.eq(self.seed),
            self.turn.eq(control.turn),
            control.start.eq(self.start),
            control.drained.eq(drained),
            control.chain.eq(drawer.chain),
            control.cursor.eq(applier.cursor),
            control.read_data.eq(self.read_data),
            drawer.layer.eq(self.layer),
            drawer.shift.eq(control.shift),
            drawer.word.eq(control.word),
            applier.row.eq(control.row),
            applier.last_row.eq(control.last_row),
            applier.seek.eq(control.seek),
            applier.target.eq(control.target),
            applier.unwind.eq(control.unwind),
            applier.read_data.eq(self.read_data),
            packer.line_positions.eq(self.layer.line_positions),
            self.read_address.eq(
                Mux(control.fetch, control.fetch_address, applier.read_address)
            ),
            self.busy.eq(control.busy | applier.holds | pending),
        ]

        return m
