"""Clocks that a layer takes and what they are spent on, from its descriptor alone."""

from dataclasses import dataclass, replace

from tombola.compiler.weight_ring import WeightRing
from tombola.compiler.work import Fields, Work
from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD

# Clocks beside the work itself, each measured in co-simulation; docs/benchmarks.md compares.
BEGIN = 3
"""From the last word of a descriptor to the first line that could be issued."""
DRAIN = {False: 25, True: 16}
"""From the last line to the first of its results, if compact or not; then come the others, one a
clock."""
MIXING, COMPACT_MIXING = 15, 19
"""A start state of a stream."""
LOADING, COMPACT_LOADING = 6, 22
"""From a channel's start states to the mixing of the next channel's."""
ROW = 9
"""Of a row's turn beside its steps: cursor, stream states, the mask reader's window."""
SAVING = 4
"""More for a turn that leaves its row's state to a later one."""
DRAINING = 1
"""More for a turn in a compact engine, until no step of its row is under way."""
COMMIT = 5
"""From a group's last step to the clock in which its lines can be read."""
WORD_END = 1
"""Of a word of weights of several bits, beside its layers of bits."""
APPLYING = {1: 1, 2: 1, 4: 1, 8: 2}
"""Clocks from positions to those that need their mask bits, by their number; 4 for more."""


@dataclass(frozen=True, kw_only=True)
class LayerTime:
    """Where the clocks of one layer go.

    Attributes
    ----------
    array : int
        A line of weights and activations enters the array, or of activations the pooling unit.
    construction : int
        The array waits for weights that are being built.
    memory : int
        ... and they are built late because the weight buffer had no room for them; or the further
        tensor of a residual is read.
    requantisation : int
        The array waits for the output unit.
    overhead : int
        Descriptor, words of a residual, first and last results.
    """

    array: int
    construction: int = 0
    memory: int = 0
    requantisation: int = 0
    overhead: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.parts.values())

    @property
    def parts(self) -> dict[str, int]:
        """Clocks by what they are spent on."""
        return dict(vars(self))

    @property
    def bound(self) -> str:
        """What most clocks are spent on."""
        return max(self.parts, key=lambda name: self.parts[name])


def layer_cycles(fields: Fields, config: EngineConfig) -> int:
    """Clocks of one layer, from the start of its descriptor to its last result."""
    return layer_time(fields, config).total


def layer_time(fields: Fields, config: EngineConfig) -> LayerTime:
    """The same by what they are spent on."""
    work = Work.of(fields, config)
    time = _run(work, config)
    if not work.builds:
        return time
    roomy = _run(work, replace(config, weight_lines=1 << 20))
    late = max(0, time.construction - roomy.construction)
    return replace(time, construction=time.construction - late, memory=time.memory + late)


def _run(work: Work, config: EngineConfig) -> LayerTime:
    """Builds and computes group after group, each as early as it can."""
    lines = max(1, work.lines + config.compact)
    free, last, spacing = BEGIN, -1, 0  # next line, last line of a position, its channels
    waiting_weights = waiting_output = reading = 0
    ring = WeightRing(config.weight_lines)
    builder = _Builder(work, config, ring)
    for channels, words in zip(work.groups, work.residual_words, strict=True):
        for chunk in range(max(1, len(work.chunks))):
            ready, count = builder.chunk(chunk, channels) if work.builds else (free, work.lines)
            waiting_weights += max(0, ready - free)
            first = max(free, ready)
            free = first + count
            if chunk < len(work.chunks) - 1:
                ring.release(first, count)
        begin = max(free - 1, last + spacing)
        period = max(lines + words, channels)
        last = begin + (work.positions - 1) * period
        waiting_output += begin - (free - 1) + (work.positions - 1) * (period - lines - words)
        reading += work.positions * words
        ring.release(last - count + 1, count)
        free, spacing = last + 1 + words + config.compact, channels
    turning = int(config.pixels > 1)  # activations come a clock later
    total = last + DRAIN[config.compact] + turning + spacing + config.descriptor.words
    array = work.lines * work.positions * len(work.groups)
    return LayerTime(
        array=array,
        construction=waiting_weights,
        memory=reading,
        requantisation=waiting_output,
        overhead=total - array - waiting_weights - waiting_output - reading,
    )


class _Builder:
    """Construction of a layer's weights, row by row, as the ring has room for them."""

    def __init__(self, work: Work, config: EngineConfig, ring: WeightRing) -> None:
        self._work, self._config, self._ring = work, config, ring
        self._now = BEGIN
        self._mixing = work.streams * (COMPACT_MIXING if config.compact else MIXING)
        self._loading = COMPACT_LOADING if config.compact else LOADING
        self._mixed = BEGIN + self._mixing

    def chunk(self, index: int, rows: int) -> tuple[int, int]:
        """Builds one chunk of `rows` channels; when it can be read, and its lines."""
        words = self._work.chunks[index]
        turn = ROW + words * self._word_clocks() - self._layered
        turn += DRAINING * (self._config.compact and not self._layered)
        turn += SAVING * (index < len(self._work.chunks) - 1)
        # Lines shorter than a step are cut from it one a clock, behind the control's back; those of
        # padding too, but not behind a word of weights of several bits.
        lines = self._lines(index)
        cut = lines if self._layered else words * WORD // self._work.line_positions
        turn = max(turn, cut + 1)
        for row in range(rows):
            if index == 0:
                self._now = max(self._now, self._mixed)
                self._mixed = self._now + self._loading + self._mixing
            self._now += turn
            if row == 0:
                self._now = max(self._now, self._ring.room(lines, clocks=turn))
        self._ring.commit(lines)
        return self._now + COMMIT, lines

    @property
    def _layered(self) -> bool:
        """Whether the engine builds weights of several bits, word by word."""
        return self._config.planes > 1 or self._config.stored

    def _word_clocks(self) -> int:
        """Clocks from a word of positions to the next, as far as their bits decide."""
        width, work = self._config.construction, self._work
        steps = WORD // width
        if not self._layered:
            return steps
        waiting = max(steps, APPLYING.get(width, 4))
        return (work.waits - 1) * waiting + (work.layers - work.waits + 1) * steps + WORD_END

    def _lines(self, index: int) -> int:
        """Lines of one chunk of a row, without those of padding."""
        words, before = self._work.chunks[index], sum(self._work.chunks[:index])
        lasts = (before + words) // self._work.period - before // self._work.period
        usual, last = self._work.word_lines
        return (words - lasts) * usual + lasts * last
