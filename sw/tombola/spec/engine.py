"""The parameters of an engine: everything hardware, compiler and simulation must agree on."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from tombola.spec.arithmetic import LOGIT_BITS
from tombola.spec.descriptor import COUNT_BITS, Field, Format, Operation, format_of
from tombola.spec.errors import ConfigError
from tombola.spec.lfsr import WORD

MAX_ROWS = 256
MAX_PLANES = 7
FEATURES = ("pixels", "planes", "stored", "residual", "grouped", "packing", "fused_pooling")
"""Parameters that an engine may be built without; then they are at their defaults."""
ACTIVATION_BITS = 8
OPERAND_BITS = ACTIVATION_BITS + 1
"""Inside the array an activation is signed: 8 bits of either signedness fit 9."""
MAX_SUM_BITS = 32
SMALLER_BY = 3
"""Bits by which narrow counts of a kernel are narrower than those of a map."""
SHORT_SUM_BITS = 16
"""A multiplier block multiplies so many bits, and adds 32."""
COMPACT_POOL_BITS = 16
"""A window of up to 128 positions fits."""
MAXIMUM_LANES = 8
"""More hardly pay: results leave a channel a clock, so that eight of them leave time for a window
of eight positions."""
TABLE_BIAS_BITS = 48
"""Bias of a table entry: int32, the rounding half, and scale times the complement correction."""
KIND_NAMES = {int: "an int", bool: "a bool"}


def _power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


@dataclass(frozen=True, kw_only=True)
class EngineConfig:
    """Geometry and memory sizes of one engine.

    Parameters
    ----------
    rows : int
        Output channels at once.
    lanes : int
        Input channels at once; a power of two up to 32.
    construction : int
        Positions a clock that the weight constructor makes; a power of two up to 32.
    accumulator_bits : int
        Width of a row's sum.
    weight_lines : int
        Lines of rows x lanes weights that the weight buffer holds; a power of two. The lines of a
        channel group of a layer with several positions must fit.
    activation_words : int
        Words of `lanes` bytes; a multiple of 16, a power of two with two banks.
    activation_banks : int
        1: one memory that reads and writes in the same clock. 2: two single-port memories, the top
        address bit selects; a layer reads from one and writes to the other.
    ticket_words : int
        32-bit words for descriptors, channel starts and mask bits; a multiple of 64.
    table_entries : int
        Requantisation entries, one a channel; a power of two.
    result_words : int
        Logits; a power of two.
    count_bits : int
        Width of the loop counts of a layer: no side, channel or word count reaches 2^count_bits.
        If it is less than 16, no id of a weight set does either, and no side of a kernel or stride
        reaches 2^(count_bits - 3).
    layer_rams : int
        Block RAMs whose outputs hold 16 bits each of the layer in force, in place of flip-flops.
    short_totals : bool
        Requantisation in 32 bits, for accumulators of at most 16: a sum times its scale and plus
        its bias must fit. Only with `compact`.
    compact : bool
        Fewer cells for a small FPGA: the array rests for a clock after each output position, and
        of the performance counters only `cycles` is there.
    unsigned_sums : bool
        The array adds bytes that are never negative: an activation, plus 128 if it is signed, and
        for a negative weight 255 less that. ECP5's carry chains need it; not with `compact`.
    pixels : int
        Output positions at once, with a memory of `activation_words` words each; a power of two up
        to 32, and 1 in an engine that is compact or has two activation banks.
    planes : int
        Binary planes of weights, 1 to 7: 2^planes - 1 coats, or stored weights of planes + 1 bits.
    stored : bool
        Weights may come from the ticket instead of the streams.
    residual : bool
        A layer may add a further tensor.
    grouped : bool
        Convolutions may have groups.
    packing : bool
        Copies may go to any lane, so that few input channels fill all lanes.
    fused_pooling : bool
        A convolution may write the maxima of windows of its output.
    """

    rows: int = 8
    lanes: int = 8
    construction: int = 8
    accumulator_bits: int = 24
    weight_lines: int = 512
    activation_words: int = 8192
    activation_banks: int = 1
    ticket_words: int = 8192
    table_entries: int = 512
    result_words: int = 64
    count_bits: int = COUNT_BITS
    layer_rams: int = 0
    short_totals: bool = False
    compact: bool = False
    unsigned_sums: bool = False
    pixels: int = 1
    planes: int = 1
    stored: bool = False
    residual: bool = False
    grouped: bool = False
    packing: bool = False
    fused_pooling: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            kind = type(field.default)
            if type(value) is not kind:
                raise TypeError(f"{field.name} must be {KIND_NAMES[kind]}, not {value!r}")
        halves = 2 * self.descriptor.words
        if not 0 <= self.layer_rams <= halves:
            raise ConfigError(
                f"layer_rams must be between 0 and {halves}, not {self.layer_rams}"
            )
        if not 8 <= self.count_bits <= COUNT_BITS:
            raise ConfigError(
                f"count_bits must be between 8 and {COUNT_BITS}, not {self.count_bits}"
            )
        if not 1 <= self.rows <= MAX_ROWS:
            raise ConfigError(f"rows must be between 1 and {MAX_ROWS}, not {self.rows}")
        if not 1 <= self.planes <= MAX_PLANES:
            raise ConfigError(f"planes must be between 1 and {MAX_PLANES}, not {self.planes}")
        if self.compact and self.unsigned_sums:
            raise ConfigError("unsigned_sums must be False with compact")
        if self.short_totals and not (self.compact and self.accumulator_bits <= SHORT_SUM_BITS):
            raise ConfigError(
                "short_totals must be False but in a compact engine of accumulator_bits "
                f"{SHORT_SUM_BITS} or less"
            )
        for name in ("lanes", "construction", "pixels"):
            value = getattr(self, name)
            if not _power_of_two(value) or value > WORD:
                raise ConfigError(f"{name} must be a power of two up to {WORD}, not {value}")
        if not 12 <= self.accumulator_bits <= MAX_SUM_BITS:
            raise ConfigError(
                f"accumulator_bits must be between 12 and {MAX_SUM_BITS}, "
                f"not {self.accumulator_bits}"
            )
        for name, least in (
            ("weight_lines", 64),
            ("activation_words", 16),
            ("ticket_words", 64),
            ("table_entries", 16),
            ("result_words", 16),
        ):
            value = getattr(self, name)
            if name in self.free_depths:
                right, rule = value % least == 0, f"a multiple of {least}"
            else:
                right, rule = _power_of_two(value), "a power of two"
            if not right or not least <= value <= 1 << 20:
                raise ConfigError(
                    f"{name} must be {rule} between {least} and {1 << 20}, not {value}"
                )
        if self.activation_banks not in (1, 2):
            raise ConfigError(f"activation_banks must be 1 or 2, not {self.activation_banks}")
        if self.pixels > 1 and (self.compact or self.activation_banks > 1):
            refused = "a compact engine" if self.compact else "an engine of two activation banks"
            raise ConfigError(f"pixels of {refused} must be 1, not {self.pixels}")
        if self.residual and (self.compact or self.activation_banks > 1):
            raise ConfigError(
                "residual must be False in a compact engine and in one with two banks, not True"
            )

    @classmethod
    def for_geometry(cls, geometry: str, **sizes: Any) -> "EngineConfig":
        """An engine of ``ROWSxLANES`` with 64 KiB of activations, however wide its words are.

        ``ROWSxLANESxPIXELS`` shares them among the pixels. `sizes` are further parameters; those
        not given stay at their defaults, construction too.
        """
        try:
            rows, lanes, *rest = (int(part) for part in geometry.lower().split("x"))
            (pixels,) = rest or (1,)
        except ValueError:
            raise ConfigError(
                f"geometry must be ROWSxLANES or ROWSxLANESxPIXELS such as 8x8, not {geometry}"
            ) from None
        for name, value in (("lanes", lanes), ("pixels", pixels)):
            if not 1 <= value <= WORD:
                raise ConfigError(f"{name} must be a power of two up to {WORD}, not {value}")
        words = max(16, (1 << 16) // (lanes * pixels))
        shape = {"rows": rows, "lanes": lanes, "pixels": pixels, "activation_words": words}
        return cls(**(shape | sizes))

    @property
    def geometry(self) -> str:
        """``ROWSxLANES``, and ``xPIXELS`` if it has several."""
        return f"{self.rows}x{self.lanes}" + (f"x{self.pixels}" if self.pixels > 1 else "")

    @property
    def macs(self) -> int:
        """Masked additions a clock."""
        return self.rows * self.lanes * self.pixels

    @property
    def features(self) -> frozenset[str]:
        """Names of the features that it has."""
        usual = {field.name: field.default for field in fields(self)}
        return frozenset(name for name in FEATURES if getattr(self, name) != usual[name])

    @property
    def descriptor(self) -> Format:
        """How its layers are described."""
        return format_of(self.features)

    @property
    def free_depths(self) -> tuple[str, ...]:
        """Memories whose depth need not be a power of two: those of many block RAMs.

        A ticket of 22,500 words takes 44 block RAMs of an ECP5, and 64 as 32,768 words.
        """
        # The top bits of an address select a bank.
        if self.activation_banks == 2 or self.pixels > 1:
            return ("ticket_words",)
        return ("activation_words", "ticket_words")

    @property
    def turn_bits(self) -> int:
        """Bits that say which pixel's memory: 0 if there is one."""
        return self.pixels.bit_length() - 1

    @property
    def maximum_lanes(self) -> int:
        """Channels of which maxima of windows are taken at once."""
        return self.lanes if self.compact else min(self.lanes, MAXIMUM_LANES)

    @property
    def average_lanes(self) -> int:
        """Channels whose windows are summed at once: by as many rows, a lane each."""
        return self.lanes if self.compact else 1 << min(self.rows, self.lanes).bit_length() - 1

    def group_size(self, operation: int) -> int:
        """Channels of a channel group; a power of two but for the rows of a convolution."""
        return {
            Operation.CONVOLVE: self.rows,
            Operation.MAX_POOL: self.maximum_lanes,
            Operation.AVERAGE_POOL: self.average_lanes,
        }[Operation(operation)]

    @property
    def sum_channels(self) -> int:
        """Channels of a channel group, at most."""
        return max(map(self.group_size, Operation))

    @property
    def operand_bits(self) -> int:
        """Width of what the array adds: a `compact` one subtracts 128 from unsigned activations."""
        return ACTIVATION_BITS if self.compact else OPERAND_BITS

    @property
    def pool_bits(self) -> int:
        """Width of the sum of a pooling window: `compact` engines spare cells, not lanes."""
        return min(self.accumulator_bits, COMPACT_POOL_BITS if self.compact else MAX_SUM_BITS)

    def count_width(self, field: Field) -> int:
        """Bits that it holds of a field that counts: all of them, unless its counts are narrow."""
        if self.count_bits == COUNT_BITS:
            return field.bits
        return self.small_bits if field.is_small else self.count_bits

    @property
    def small_bits(self) -> int:
        """Width of a kernel's side, a stride or a padding where counts are narrow, else of all."""
        return self.count_bits - (SMALLER_BY if self.count_bits < COUNT_BITS else 0)

    @property
    def steps_from_last(self) -> bool:
        """Whether address steps of a layer lead from the last word of the loops inside.

        Else they lead from the first one, to which outer loops then return: that takes a register
        each, and is needed where a step depends on where a loop stands.
        """
        return self.compact and not self.grouped

    @property
    def bias_bits(self) -> int:
        """Of a bias in the requantisation table."""
        return LOGIT_BITS if self.short_totals else TABLE_BIAS_BITS

    def to_json(self) -> dict[str, Any]:
        """All parameters; `EngineConfig(**document)` is the same engine."""
        return asdict(self)
