"""Control of weight construction: whose turn it is, and which state it takes up and leaves."""

from amaranth import Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola_hw.class_drawer import places_layout
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import address_bits, layer_layout
from tombola_hw.mask_reader import cursor_bits
from tombola_hw.row_states import CURSOR, INDEX_BITS, RowStates
from tombola_hw.row_walk import RowWalk
from tombola_hw.start_state import seed_layout

LAST_LOAD = 4
"""A word of state comes one beat after its address: words 0 to 3 in beats 1 to 4. Saving takes
beats 0 to 6: in beats 4 and 5 the mask reader unwinds, then its cursor is right."""


class TurnState(enum.Enum, shape=3):
    """What a turn is about."""

    IDLE = 0
    FETCH = 1  # addresses of the cursor are out: the channel's start, or what the row has saved
    SEEK = 2   # the mask reader takes it
    LOAD = 3   # stream states come in, mixed or saved, a word a clock
    STEP = 4   # the positions of the turn
    SAVE = 5   # stream states and cursor are put away
    TURN = 6   # next row, chunk or group, once all steps have their mask bits


class TurnControl(wiring.Component):
    """Gives each row of each channel group its turns, and the streams their states.

    All rows of a group have their turn at a chunk before the first has it at the next. A turn
    takes, beside a clock a step, 7 clocks and those until `drained`, 7 more if its state is saved;
    in its first chunk a row waits for its start states, which are mixed during the row before:
    that is up to 14 clocks, 28 if the layer freezes. The mask reader may be ready later than the
    first step. Golden model: the loops of `WeightCase.lines` in the tests.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer, seed, start, turn
        As in `WeightConstructor`.
    busy : Out(1)
        Until the last step of the last row has its mask bits.
    places : Out(stream.Signature(places_layout(config)))
    row, last_row : Out(range(rows)), Out(1)
        Of this turn: the row, and whether it is the last of its channel group.
    drained : In(1)
        Every place taken so far has its mask bits.
    shift, word, chain : Out(1), Out(32), In(32)
        The chain of stream states, as in `ClassDrawer`.
    seek, target, unwind, cursor
        The cursor of the mask, as in `MaskReader`.
    fetch, fetch_address : Out(1), Out(address_bits(ticket_words))
        The ticket memory is read at this address; the word is the next clock's `read_data`.
    read_data : In(32)
    """

    def __init__(self, config: EngineConfig):
        check_config("TurnControl", config)
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "seed": In(seed_layout()),
            "turn": Out(1),
            "start": In(1),
            "busy": Out(1),
            "places": Out(stream.Signature(places_layout(config))),
            "row": Out(range(config.rows)),
            "last_row": Out(1),
            "drained": In(1),
            "shift": Out(1),
            "word": Out(WORD),
            "chain": In(WORD),
            "seek": Out(1),
            "target": Out(cursor_bits(config)),
            "unwind": Out(1),
            "cursor": In(cursor_bits(config)),
            "fetch": Out(1),
            "fetch_address": Out(address_bits(config.ticket_words)),
            "read_data": In(WORD),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.walk = walk = RowWalk(self._config)
        m.submodules.states = states = RowStates(self._config)

        state = Signal(TurnState)
        beat = Signal(INDEX_BITS, init=CURSOR)
        first_chunk = Signal()
        group_end = Signal.like(self.row)  # last row, as the first chunk found it
        all_begun = states.channel == self.layer.channels[: len(states.channel)]
        full = self.row == self._config.rows - 1
        if self._config.grouped:
            full = self.row + 1 == self.layer.group_channels
        at_end = Mux(first_chunk, all_begun | full, self.row == group_end)
        step = self.places.valid & self.places.ready

        m.d.comb += [
            walk.layer.eq(self.layer),
            walk.step.eq(step),
            self.turn.eq(step),
            self.places.p.real.eq(walk.real),
            self.places.p.last.eq(walk.last),
            states.layer.eq(self.layer),
            states.seed.eq(self.seed),
            states.row.eq(self.row),
            states.fresh.eq(first_chunk),
            states.index.eq(beat),
            states.chain.eq(self.chain),
            states.cursor.eq(self.cursor),
            self.fetch_address.eq(self.layer.starts_base + states.channel),
            self.target.eq(Mux(first_chunk, self.read_data, states.word)),
            self.word.eq(states.word),
            self.last_row.eq(at_end),
            self.busy.eq(state != TurnState.IDLE),
        ]

        with m.Switch(state):
            with m.Case(TurnState.IDLE):
                with m.If(self.start):
                    m.d.comb += [walk.begin.eq(1), states.begin.eq(1)]
                    m.d.sync += [self.row.eq(0), first_chunk.eq(1), state.eq(TurnState.FETCH)]
            with m.Case(TurnState.FETCH):
                m.d.comb += self.fetch.eq(1)
                with m.If(states.complete | ~first_chunk):
                    m.d.sync += [beat.eq(0), state.eq(TurnState.SEEK)]
            with m.Case(TurnState.SEEK):
                m.d.comb += self.seek.eq(1)
                m.d.sync += [beat.eq(1), state.eq(TurnState.LOAD)]
            with m.Case(TurnState.LOAD):
                m.d.comb += self.shift.eq(1)
                m.d.sync += beat.eq(beat + 1)
                with m.If(beat == LAST_LOAD):
                    m.d.comb += states.next.eq(first_chunk)
                    m.d.sync += state.eq(TurnState.STEP)
            with m.Case(TurnState.STEP):
                m.d.comb += self.places.valid.eq(1)
                with m.If(step & walk.last):
                    m.d.sync += beat.eq(Mux(walk.final, CURSOR, 0))
                    m.d.sync += state.eq(Mux(walk.final, TurnState.TURN, TurnState.SAVE))
            with m.Case(TurnState.SAVE):
                m.d.comb += [states.save.eq(1), self.shift.eq(1)]
                with m.If(beat == CURSOR):
                    m.d.sync += state.eq(TurnState.TURN)
                with m.Elif(~beat[-1] | self.drained):
                    m.d.comb += self.unwind.eq(beat[-1])
                    m.d.sync += beat.eq(beat + 1)
            with m.Case(TurnState.TURN):
                with m.If(self.drained):
                    m.d.comb += [walk.turn.eq(1), walk.next_chunk.eq(at_end)]
                    m.d.sync += [self.row.eq(self.row + 1), state.eq(TurnState.FETCH)]
                    with m.If(at_end):
                        m.d.sync += [self.row.eq(0), first_chunk.eq(walk.final)]
                        with m.If(first_chunk):
                            m.d.sync += group_end.eq(self.row)
                        with m.If(walk.final & all_begun):
                            m.d.sync += state.eq(TurnState.IDLE)

        return m
