"""Random weight sets with masks, as the ticket memory and the descriptor give them to hardware."""

from dataclasses import dataclass, field

import numpy as np

from tombola.spec import mask_code, weight_stream
from tombola.spec.descriptor import FIELDS
from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola.spec.mask_code import Coding
from tombola.spec.weight_stream import FreezeClass, WeightSet


@dataclass
class WeightCase:
    """A weight set, its mask bits in a ticket memory, and what a constructor must make of them.

    `first_bit` is where the mask stands in the memory, after the channel starts.
    """

    weight_set: WeightSet
    seed: int = 0x0123456789ABCDEF
    mask_seed: int = 1
    density: float = 0.5
    starts_base: int = 3
    first_bit: int = 13
    coding: Coding = field(default_factory=lambda: Coding(coats=1))

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.mask_seed)
        classes = weight_stream.freeze_classes(self.seed, self.weight_set)
        negative = weight_stream.negative(self.seed, self.weight_set)
        self.bits = bits = self._bits(rng, classes)
        self.weights, starts = mask_code.decode(bits, classes, negative, self.coding)
        base = WORD * (self.starts_base + self.weight_set.out_channels) + self.first_bit
        self.starts = (base + starts[:-1]).tolist()
        self.used_bits = base + bits.size

    def _bits(self, rng: np.random.Generator, classes: np.ndarray) -> np.ndarray:
        if self.coding.coats == 1:
            return rng.random(int((classes == FreezeClass.SEARCHABLE).sum())) < self.density
        most = self.coding.magnitude
        values = rng.integers(-most, most + 1, classes.shape)
        values[rng.random(classes.shape) >= self.density] = 0
        values[(classes == FreezeClass.PRUNED) | (classes == FreezeClass.PADDING)] = 0
        values[classes == FreezeClass.LOCKED] = most
        return mask_code.encode(values, classes, self.coding)

    def memory(self, words: int) -> list[int]:
        """Ticket memory of `words` 32-bit words; what the layer does not use is random."""
        rng = np.random.default_rng(99)
        image = rng.integers(0, 2, (words, WORD)).astype(bool).reshape(-1)
        assert self.used_bits <= image.size
        image[self.starts[0] : self.starts[0] + self.bits.size] = self.bits
        image = np.packbits(image, bitorder="little").view("<u4")
        image[self.starts_base : self.starts_base + len(self.starts)] = self.starts
        return image.tolist()

    def descriptor(self, config: EngineConfig, *, chunk_words: int = 0) -> dict[str, int]:
        """Fields of the layer that the engine has; a `chunk_words` of 0 is the whole row."""
        layout = self.weight_set.layout
        real = layout.real().reshape(-1, WORD)
        padded = layout.padded_channels
        period = layout.words if padded <= WORD else padded // WORD

        def as_bits(flags: np.ndarray) -> int:
            return int(np.packbits(flags, bitorder="little").view("<u4")[0])

        fields = {field.name: 0 for field in FIELDS} | {
            "channels": self.weight_set.out_channels,
            "weight_set": self.weight_set.id,
            "prune": self.weight_set.prune,
            "frozen": self.weight_set.prune + self.weight_set.lock,
            "starts_base": self.starts_base,
            "row_words": layout.words,
            "chunk_words": chunk_words or layout.words,
            "period": period,
            "line_positions": min(padded, config.lanes).bit_length() - 1,
            "word_mask": as_bits(real[0]),
            "tail_mask": as_bits(real[period - 1]),
            "planes": self.coding.planes,
            "bit_layers": self.coding.bit_layers - 1,
            "stored": int(self.coding.stored is not None),
        }
        return {name: fields[name] for name in config.descriptor.places}

    def lines(self, config: EngineConfig, *, chunk_words: int = 0) -> list[dict[str, int]]:
        """Every line of the layer in the order of construction."""
        layout = self.weight_set.layout
        chunk = chunk_words or layout.words
        size = min(layout.padded_channels, config.lanes)
        real = layout.real().reshape(-1, size).any(axis=1)
        rows = self.weights.reshape(self.weight_set.out_channels, -1, size)
        lines = []
        for group in range(0, len(rows), config.rows):
            members = range(group, min(group + config.rows, len(rows)))
            for start in range(0, layout.words, chunk):
                for channel in members:
                    end = min(start + chunk, layout.words)
                    places = range(start * WORD // size, end * WORD // size)
                    places = [place for place in places if real[place]]
                    lines += [
                        {
                            "positive": _pack(
                                (rows[channel, place] > 0) & _bit(rows[channel, place], plane)
                            ),
                            "negative": _pack(
                                (rows[channel, place] < 0) & _bit(rows[channel, place], plane)
                            ),
                            "row": channel - group,
                            "chunk_end": int(place == places[-1] and plane == 0),
                            "last_row": int(channel == members[-1]),
                        }
                        for place in places
                        for plane in reversed(range(self.coding.planes))
                    ]
        return lines


def _bit(weights: np.ndarray, plane: int) -> np.ndarray:
    return (np.abs(weights) >> plane & 1).astype(bool)


def _pack(flags: np.ndarray) -> int:
    return sum(int(flag) << lane for lane, flag in enumerate(flags))
