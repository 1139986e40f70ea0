"""What an engine costs on an FPGA: cells, flip-flops, block RAM and multipliers, before a build."""

from dataclasses import dataclass

from tombola.compiler.block_ram import ECP5_RAM, GOWIN_RAM, ICE40_RAM, RamKind, memories
from tombola.spec.engine import EngineConfig


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Cells of one kind as a sum over what an engine has; measured in builds.

    Parameters
    ----------
    base : float
        Control, serial link and host access.
    mac : float
        A masked addition.
    row : float
        Accumulator, and its place in the shift register of sums.
    lane : float
        A lane of the pooling unit.
    construction : float
        A position a clock of weight construction.
    pixel : float
        A further output position at once: its requantiser.
    """

    base: float
    mac: float
    row: float
    lane: float
    construction: float
    pixel: float

    def of(self, config: EngineConfig) -> int:
        """Cells of an engine."""
        pixels = config.pixels
        return round(
            self.base
            + self.mac * config.macs
            + self.row * config.rows * pixels
            + self.lane * config.lanes * pixels
            + self.construction * config.construction
            + self.pixel * (pixels - 1)
        )


@dataclass(frozen=True, kw_only=True)
class AreaModel:
    """How the engine maps to the cells of one family, or of parts of it.

    Parameters
    ----------
    lut4, ff : Terms
        Packed cells, as nextpnr counts them.
    ram : RamKind
    dsp : int
        Multiplier blocks of one requantiser.
    spram : int
        Large RAM blocks that hold the activations; 0 if block RAM does.
    """

    lut4: Terms
    ff: Terms
    ram: RamKind
    dsp: int = 0
    spram: int = 0

    def estimate(self, config: EngineConfig) -> "Area":
        """The cost of an engine with its serial link and a board's clock."""
        found = memories(config, spram=self.spram > 0)
        return Area(
            lut4=self.lut4.of(config),
            ff=self.ff.of(config),
            block_ram=sum(self.ram.blocks(memory) for memory in found),
            dsp=self.dsp * config.pixels,
            spram=self.spram,
        )


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


ECP5 = AreaModel(
    lut4=Terms(base=3600, mac=24.2, row=80, lane=90, construction=66, pixel=600),
    ff=Terms(base=1860, mac=20, row=45, lane=94, construction=32, pixel=500),
    ram=ECP5_RAM,
    dsp=2,
)
UP5K = AreaModel(
    lut4=Terms(base=2600, mac=24, row=50, lane=60, construction=45, pixel=600),
    ff=Terms(base=1250, mac=0, row=45, lane=60, construction=60, pixel=500),
    ram=ICE40_RAM,
    dsp=5,
    spram=4,
)
"""With large RAM and multipliers, and `compact`."""
HX8K = AreaModel(
    lut4=Terms(base=4160, mac=24, row=50, lane=60, construction=45, pixel=1200),
    ff=Terms(base=1400, mac=0, row=45, lane=60, construction=60, pixel=500),
    ram=ICE40_RAM,
)
"""Without multipliers: the requantiser's is of cells; and `compact`."""
GOWIN = AreaModel(
    lut4=Terms(base=4120, mac=28, row=80, lane=60, construction=52, pixel=1200),
    ff=Terms(base=1320, mac=0, row=45, lane=40, construction=30, pixel=500),
    ram=GOWIN_RAM,
)
"""`compact`, and without multipliers, which the tools do not place there."""
