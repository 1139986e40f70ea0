"""Which serial ports belong to boards that we know, by their USB ids."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from serial.tools import list_ports

from tombola.spec.errors import DeviceError


@dataclass(frozen=True, kw_only=True)
class UsbId:
    """How a board shows itself on USB.

    Parameters
    ----------
    vendor, product : int
    interface : int, optional
        Which of the chip's ports is the serial line, counted from 0, where it has several.
    label : str
        What the product string contains, to tell boards with the same chip apart; any if empty.
    board : str, optional
        Its name, where the label tells.
    baud : int, optional
        Of the boards with this chip, where it is not the usual one.
    """

    vendor: int
    product: int
    interface: int | None = None
    label: str = ""
    board: str | None = None
    baud: int | None = None


# The first that fits counts. Programming is on the first port of an FT2232H, serial on the second.
KNOWN = (
    UsbId(vendor=0x0403, product=0x6010, interface=1, label="iCEBreaker", board="icebreaker"),
    UsbId(vendor=0x0403, product=0x6010, interface=1),
    UsbId(vendor=0x0403, product=0x6015, label="ULX3S FPGA 12K", board="ulx3s-12f"),
    UsbId(vendor=0x0403, product=0x6015, label="ULX3S FPGA 25K", board="ulx3s-25f"),
    UsbId(vendor=0x0403, product=0x6015, label="ULX3S FPGA 45K", board="ulx3s-45f"),
    UsbId(vendor=0x0403, product=0x6015, label="ULX3S FPGA 85K", board="ulx3s-85f"),
    UsbId(vendor=0x0403, product=0x6015),
    # The DAPLink of the board into which a Colorlight i5 or i9 is plugged.
    UsbId(vendor=0x0D28, product=0x0204, baud=115_200),
)


class Port(Protocol):
    """What pyserial tells of a port."""

    device: str
    vid: int | None
    pid: int | None
    product: str | None
    location: str | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """A port that may lead to a board.

    Attributes
    ----------
    port : str
    board : str, optional
        The board, if its USB strings tell.
    baud : int, optional
        Of its serial line, if that is not the usual one.
    """

    port: str
    board: str | None
    baud: int | None = None

    def __str__(self) -> str:
        return f"{self.port} ({self.board or 'unknown board'})"


def find_boards(ports: Iterable[Port] | None = None) -> list[Found]:
    """Ports of known boards, in order of their names.

    Parameters
    ----------
    ports : iterable of pyserial ports, optional
        Those of the system if not given.
    """
    found = []
    chips: dict[tuple[int | None, int | None, str], int] = {}
    ports = list_ports.comports() if ports is None else ports
    for port in sorted(ports, key=lambda each: each.device):
        chip = (port.vid, port.pid, (port.location or "").partition(":")[0])
        # Where the system tells no interface, the ports of a chip are in their order.
        number = chips.setdefault(chip, 0)
        chips[chip] += 1
        stated = re.search(r":\d+\.(\d+)$", port.location or "")
        number = int(stated.group(1)) if stated else number
        for known in KNOWN:
            if (port.vid, port.pid) != (known.vendor, known.product):
                continue
            if known.interface not in (None, number):
                continue
            if known.label.lower() in (port.product or "").lower():
                found.append(Found(port=port.device, board=known.board, baud=known.baud))
                break
    return found


def the_board(ports: Iterable[Port] | None = None) -> Found:
    """The only board there is.

    Raises
    ------
    DeviceError
        If there is none, or there are several.
    """
    found = find_boards(ports)
    if not found:
        raise DeviceError(
            "no board found on USB; plug one in, or name its port as in serial:/dev/ttyUSB1, "
            "or start a simulated one with virtual:icebreaker"
        )
    if len(found) > 1:
        listed = ", ".join(map(str, found))
        raise DeviceError(
            f"several boards found: {listed}; name one, as in serial:{found[0].port}"
        )
    return found[0]
