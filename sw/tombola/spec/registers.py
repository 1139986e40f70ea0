"""The address map: registers and memory windows as every host wrapper sees them.

Addresses count 32-bit words. Bits 23..20 select a window, the bits below a word in it.
"""

import enum
from dataclasses import dataclass

ADDRESS_BITS = 24
DATA_BITS = 32
WINDOW_BITS = 20
IDENTITY = 0x544F4D42  # "TOMB"
VERSION = 3


class Window(enum.IntEnum):
    """What a range of addresses holds; the value is address bits 23..20."""

    REGISTERS = 0
    """The registers below, one a word."""
    TICKET = 1
    """Ticket memory, word by word: the digest of what is loaded, then the descriptors one after the
    other, then channel starts and masks."""
    TABLE = 2
    """Requantisation table: entry i is word 2i (bias bits 31..0) and word 2i + 1 (bias bits 47..32
    in its low half, scale in its high half). Writing a word stores it. With `short_totals` the bias
    has 32 bits alone."""
    ACTIVATIONS = 3
    """Activation memory: with B = min(4, lanes), word i holds bytes iB .. iB + B - 1, low first.
    The memories of several pixels follow each other."""
    RESULTS = 4
    """Logits, two's complement; read only."""

    @property
    def base(self) -> int:
        """First address."""
        return int(self) << WINDOW_BITS


@dataclass(frozen=True)
class Register:
    """One register.

    Parameters
    ----------
    name : str
    address : int
    access : str
        ``r``, ``w`` or ``rw``.
    meaning : str
    """

    name: str
    address: int
    access: str
    meaning: str


REGISTERS = (
    Register("identity", 0x00, "r", "0x544F4D42, the letters TOMB"),
    Register("version", 0x01, "r", "of this map"),
    Register(
        "geometry", 0x02, "r",
        "rows in bits 11..0, log2 of pixels in 15..12, lanes in 23..16, planes less 1 in 26..24; "
        "from bit 27 on: stored, residual, grouped, packing, fused_pooling",
    ),
    Register(
        "construction", 0x03, "r",
        "positions a clock in bits 7..0; bits of a loop count in 12..8; bit 13: "
        "short_totals, 14: unsigned_sums, 15: compact; accumulator bits in 31..16",
    ),
    Register("weight_lines", 0x04, "r", "depth of the weight buffer"),
    Register("activation_words", 0x05, "r", "words of `lanes` bytes; banks in bits 31..24"),
    Register("ticket_words", 0x06, "r", "depth of the ticket memory"),
    Register("table_entries", 0x07, "r", "depth of the requantisation table"),
    Register("result_words", 0x08, "r", "depth of the result memory"),
    Register(
        "control", 0x09, "w",
        "1 starts a run unless there is an error code; 2 clears it, 6 ends a run as well",
    ),
    Register("status", 0x0A, "r", "bit 0 busy, bit 1 done; error code in bits 15..8"),
    Register("mark", 0x0B, "rw", "whatever the host leaves there; 0 at power-up"),
    Register("winner", 0x0C, "r", "index of the largest logit, the lowest of equals"),
    Register("cycles", 0x0D, "r", "clocks of the last run, from start to the last logit; modulo "
             "2^24 if compact"),
    Register("busy_cycles", 0x0E, "r", "clocks in which the array took a line; 0 if compact"),
    Register("weight_stalls", 0x0F, "r", "clocks the array waited for weights; 0 if compact"),
    Register(
        "output_stalls", 0x10, "r", "clocks the array waited for requantisation; 0 if compact"
    ),
)
START, STOP = 1, 6
"""What to write to `control`."""
ADDRESS = {register.name: register.address for register in REGISTERS}


class ErrorCode(enum.IntEnum):
    """Bits 15..8 of `status`: the first error since it was last cleared.

    While there is one, no run starts: what was written before is not all there.
    """

    NONE = 0
    """Nothing went wrong since the code was last cleared."""
    BUSY = 1
    """A memory was written or a run started while a run was under way; it was ignored."""
    OPERATION = 2
    """A descriptor holds no known operation; the run ended there."""
    ADDRESS = 3
    """An access to an address that does not exist, or in the wrong direction."""
    FOREIGN = 4
    """A descriptor was compiled for another engine; the run ended there."""
