"""From the address of a board to its device."""

from pathlib import Path

from tombola.device.device import Device
from tombola.device.serial_port import SerialPort
from tombola.device.transport import Transport
from tombola.device.usb import Found, find_boards, the_board
from tombola.device.virtual import VirtualBoard
from tombola.spec.errors import ConfigError

BAUD = 1_000_000
"""Of boards whose own rate is not known."""


def connect(
    address: str = "auto", *, baud: int | None = None, engine: Path | str | None = None
) -> Device:
    """Opens a board.

    Parameters
    ----------
    address : str
        ``serial:PORT`` for a board at a serial port, such as serial:/dev/ttyUSB1; ``virtual:BOARD``
        for a simulated one, such as virtual:icebreaker; ``auto`` for the only board on USB.
    baud : int, optional
        Of the serial line; if not given, that of the adapter's boards where it tells, else `BAUD`;
        and a virtual board's own. A virtual board is built for the rate, so that it has to divide
        its clock.
    engine : Path or str, optional
        Of a virtual board, in place of its own: a JSON file with the parameters as ``config``, such
        as ``tombola plan --json`` prints. A real board tells itself what its engine is.

    Raises
    ------
    ConfigError
        If the address is none of these, or there is an engine for a real board.
    DeviceError
        If there is no such board or it does not answer as an engine; with what to check.
    """
    transport, board = _open(address, baud, None if engine is None else Path(engine))
    try:
        return Device(transport, board=board)
    except BaseException:
        transport.close()
        raise


def _open(
    address: str, baud: int | None, engine: Path | None
) -> tuple[Transport, str | None]:
    if baud is not None and (type(baud) is not int or baud < 1):
        raise ConfigError(f"baud must be a positive integer, not {baud!r}")
    kind, _, rest = address.partition(":")
    if kind == "virtual" and rest:
        return VirtualBoard(rest, baud=baud, engine=engine), rest
    if engine is not None:
        raise ConfigError(
            f"engine must be left out for {address}, which tells itself what its engine is"
        )
    if address == "auto":
        found = the_board()
    elif kind == "serial" and rest:
        known = {found.port: found for found in find_boards()}
        found = known.get(rest, Found(port=rest, board=None))
    else:
        raise ConfigError(f"device must be serial:PORT, virtual:BOARD or auto, not {address}")
    return SerialPort(found.port, baud=baud or found.baud or BAUD), found.board
