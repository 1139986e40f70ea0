"""Which pins of a placed design nextpnr's timing model does not know, from its SDF file."""

import re

CONSTANT = {"GOWIN_VCC", "GOWIN_GND"}
# Pins of the chip have no delay that counts, and the loop makes the clock.
OUTSIDE = {"IBUF", "OBUF", "TBUF", "IOBUF", "GSR", "rPLL", "BUFG"}

_WIRE = re.compile(r"\(INTERCONNECT (\S+)/(\S+) (\S+)/(\S+) ")
_DELAY = re.compile(r"\(IOPATH (\S+) (\S+) ")
_CHECK = re.compile(r"\(SETUPHOLD \(posedge (\S+)\) \(\w+ (\S+)\)")


def untimed(sdf: str) -> set[str]:
    """Connected pins, as ``TYPE.PIN``, from or to which the file holds no delay and no check."""
    types: dict[str, str] = {}
    timed: dict[str, set[str]] = {}
    for cell in sdf.split("(CELL\n")[1:]:
        kind = re.search(r'CELLTYPE "(\S+)"', cell)[1]
        name = re.search(r"INSTANCE (\S*)\)", cell)[1]
        types[name] = kind
        arcs = [*_DELAY.findall(cell), *_CHECK.findall(cell)]
        timed[name] = {pin for arc in arcs for pin in arc}
    pins = set()
    for source, output, sink, pin in _WIRE.findall(sdf):
        if types[source] not in CONSTANT:
            pins |= {(source, output), (sink, pin)}
    return {
        f"{types[name]}.{pin}"
        for name, pin in pins
        if types[name] not in OUTSIDE and pin not in timed[name]
    }
