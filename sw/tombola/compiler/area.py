"""What an engine costs on an FPGA: cells, flip-flops, block RAM and multipliers, before a build."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from tombola.compiler.block_ram import ECP5_RAM, GOWIN_RAM, ICE40_RAM, RamKind, memories
from tombola.spec.engine import ACTIVATION_BITS, EngineConfig

FACTORS_FILE = "area_ecp5.json"
"""Beside this module; `bench/area.py` writes it."""
Factors = Mapping[str, float]


def quantities(config: EngineConfig, *, multiplexed: int = 0) -> dict[str, int]:
    """How much an engine has of what cells are counted by.

    Parameters
    ----------
    config : EngineConfig
    multiplexed : int
        See `RamKind.multiplexed`.

    Returns
    -------
    dict of str to int
        ``base`` is control, serial link and host access; ``mac`` a masked addition and ``chained``
        one of unsigned sums; ``delay`` a bit that waits a clock for its lane of these; ``row`` an
        accumulator; ``lane`` a lane of the pooling unit; ``channel`` a sum in the register from
        which they leave; ``construction`` a position a clock, and its square; ``pixel`` a further
        requantiser; ``turn`` a lane and a level of the rotation between pixels; ``plane`` a further
        plane. Each feature counts once, several planes too, and by what it grows with.
    """
    rows, lanes = config.rows * config.pixels, config.lanes * config.pixels
    delay = (ACTIVATION_BITS * config.pixels + 2 * config.rows) * config.lanes**2 // 4
    found = {
        "base": 1,
        "mac": 0 if config.unsigned_sums else config.macs,
        "chained": config.macs if config.unsigned_sums else 0,
        "delay": delay if config.unsigned_sums else 0,
        "row": rows,
        "lane": lanes,
        "channel": max(config.rows, config.lanes) * config.pixels,
        "construction": config.construction,
        "construction squared": config.construction**2,
        "pixel": config.pixels - 1,
        "turn": lanes * config.turn_bits,
        "multiplexed": multiplexed,
        "plane": config.planes - 1,
    }
    for name, by, size in (
        ("planes", "row", rows),
        ("stored", "construction", config.construction),
        ("residual", "lane", lanes),
        ("grouped", "lane", config.lanes),
        ("packing", "lane", lanes),
        ("fused_pooling", "pixel", config.pixels),
    ):
        found[name] = int(name in config.features)
        found[f"{name} {by}"] = found[name] * size
    found["residual pixel"] = found["residual"] * found["pixel"]
    return found


@dataclass(frozen=True, kw_only=True)
class AreaModel:
    """How the engine maps to the cells of one family, or of parts of it.

    Parameters
    ----------
    lut4, ff, dsp : mapping of str to float
        Packed cells and multiplier blocks, as nextpnr counts them, for each of `quantities`; what
        is missing takes none.
    ram : RamKind
    spram : int
        Large RAM blocks that hold the activations; 0 if block RAM does.
    """

    lut4: Factors
    ff: Factors
    dsp: Factors
    ram: RamKind
    spram: int = 0

    def estimate(self, config: EngineConfig) -> "Area":
        """The cost of an engine with its serial link and a board's clock."""
        found = memories(config, spram=self.spram > 0)
        counts = self.quantities(config)
        lut4, ff, dsp = (
            round(sum(factors[name] * counts[name] for name in factors))
            for factors in (self.lut4, self.ff, self.dsp)
        )
        return Area(
            lut4=lut4,
            ff=ff,
            block_ram=sum(self.ram.blocks(memory) for memory in found),
            dsp=dsp,
            spram=self.spram,
        )

    def quantities(self, config: EngineConfig) -> dict[str, int]:
        """What the cells of an engine are counted by."""
        found = memories(config, spram=self.spram > 0)
        return quantities(config, multiplexed=sum(self.ram.multiplexed(x) for x in found))


@dataclass(frozen=True, kw_only=True)
class Area:
    """Cells by resource, as `build.json` names them."""

    lut4: int
    ff: int
    block_ram: int
    dsp: int
    spram: int

    def to_json(self) -> dict[str, int]:
        """Fields by name."""
        return dict(vars(self))


_ECP5 = json.loads((resources.files(__package__) / FACTORS_FILE).read_text())
ECP5 = AreaModel(**_ECP5, ram=ECP5_RAM)


def _elsewhere(resource: str, **factors: float) -> Factors:
    """Factors of another family, from builds of its boards; those of features are an ECP5's."""
    in_others = dict.fromkeys(("channel", "construction squared", "multiplexed"), 0)
    return {**_ECP5[resource], **in_others, **factors}


UP5K = AreaModel(
    lut4=_elsewhere("lut4", base=2600, mac=24, row=50, lane=60, construction=45),
    ff=_elsewhere("ff", base=1250, mac=0, row=45, lane=60, construction=60),
    dsp={"base": 5},
    ram=ICE40_RAM,
    spram=4,
)
"""With large RAM and multipliers, and `compact`."""
HX8K = AreaModel(
    lut4=_elsewhere("lut4", base=4160, mac=24, row=50, lane=60, construction=45),
    ff=_elsewhere("ff", base=1400, mac=0, row=45, lane=60, construction=60),
    dsp={},
    ram=ICE40_RAM,
)
"""Without multipliers: the requantiser's is of cells; and `compact`."""
GOWIN = AreaModel(
    lut4=_elsewhere("lut4", base=4120, mac=28, row=80, lane=60, construction=52),
    ff=_elsewhere("ff", base=1320, mac=0, row=45, lane=40, construction=30),
    dsp={},
    ram=GOWIN_RAM,
)
"""`compact`, and without multipliers, which the tools do not place there."""
