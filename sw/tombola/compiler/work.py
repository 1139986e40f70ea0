"""What of a layer's descriptor its clocks depend on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tombola.compiler.layers import positions
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD

Fields = Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Work:
    """The loops of one descriptor and the rows that are built for it.

    Attributes
    ----------
    groups : tuple of int
        Channels of each group.
    positions : int
        Output positions of a group.
    lines : int
        Lines of a position.
    residual_words : tuple of int
        Words that each group adds to a position.
    chunks : tuple of int
        Words of a row's turns; none for a layer without weights.
    line_positions : int
        Positions of a row that make a line.
    word_lines : (int, int)
        Lines of a word in all planes, without those of padding; and of the last word of a period.
    period : int
        Words from one such last word to the next.
    streams : int
        Start states that a channel needs: of the signs, and of the freezing if there is any.
    planes : int
        Of the weights.
    waits : int
        Layers of mask bits of which each needs the one before.
    layers : int
        All layers of mask bits.
    """

    groups: tuple[int, ...]
    positions: int
    lines: int
    residual_words: tuple[int, ...]
    chunks: tuple[int, ...] = ()
    line_positions: int = 1
    word_lines: tuple[int, int] = (1, 1)
    period: int = 1
    streams: int = 1
    planes: int = 1
    waits: int = 1
    layers: int = 1

    @classmethod
    def of(cls, fields: Fields, config: EngineConfig) -> "Work":
        """The work of one descriptor."""
        convolves = fields["operation"] == Operation.CONVOLVE
        size = fields.get("group_channels", config.group_size(fields["operation"]))
        groups = tuple(_portions(fields["channels"], size))
        words = _words_of(groups, config.lanes) if fields.get("residual") else [0] * len(groups)
        work = cls(
            groups=groups,
            residual_words=tuple(words),
            positions=positions(fields),
            lines=fields["lines"],
        )
        if not convolves:
            return work
        stored, planes = fields.get("stored", 0), fields.get("planes", 1)
        # Without the field there is one coat, or stored weights of one plane, mask and signs.
        layers = fields.get("bit_layers", 2 * stored) + 1
        return replace(
            work,
            planes=planes,
            layers=layers,
            waits=2 if stored else layers,
            chunks=tuple(_portions(fields["row_words"], fields["chunk_words"])),
            line_positions=1 << fields["line_positions"],
            word_lines=(_lines_of(fields, "word_mask"), _lines_of(fields, "tail_mask")),
            period=fields["period"],
            streams=2 if fields["frozen"] else 1,
        )

    @property
    def builds(self) -> bool:
        """Whether the layer has weights."""
        return bool(self.chunks)


def _portions(total: int, size: int) -> Iterator[int]:
    while total > 0:
        yield min(size, total)
        total -= size


def _lines_of(fields: Fields, mask: str) -> int:
    # Padding ends what it pads: a line is real if its first position is.
    starts = sum(1 << at for at in range(0, WORD, 1 << fields["line_positions"]))
    return (fields[mask] & starts).bit_count() * fields.get("planes", 1)


def _words_of(groups: Sequence[int], lanes: int) -> Iterator[int]:
    """Words in which the channels of each group lie; the first begins a word."""
    first = 0
    for channels in groups:
        yield (first % lanes + channels - 1) // lanes + 1
        first += channels
