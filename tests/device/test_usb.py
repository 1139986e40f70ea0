"""Boards found by their USB ids, among ports of other things."""

from dataclasses import dataclass

import pytest

from tombola.device.usb import Found, find_boards, the_board
from tombola.spec.errors import DeviceError


@dataclass
class Port:
    """As pyserial lists a port."""

    device: str
    vid: int | None = None
    pid: int | None = None
    product: str | None = None
    location: str | None = None


ICEBREAKER = [
    Port("/dev/ttyUSB0", 0x0403, 0x6010, "iCEBreaker V1.0e", "1-2:1.0"),
    Port("/dev/ttyUSB1", 0x0403, 0x6010, "iCEBreaker V1.0e", "1-2:1.1"),
]
ULX3S = Port("/dev/ttyUSB2", 0x0403, 0x6015, "ULX3S FPGA 85K v3.0.8", "1-3:1.0")
OTHERS = [
    Port("/dev/ttyS0"),
    Port("/dev/ttyACM0", 0x2341, 0x0043, None, "1-4:1.0"),
    Port("/dev/ttyUSB9", 0x1A86, 0x7523, "USB Serial", "1-5:1.0"),
]


def test_the_second_port_of_an_icebreaker():
    assert find_boards([*OTHERS, *reversed(ICEBREAKER)]) == [
        Found(port="/dev/ttyUSB1", board="icebreaker")
    ]


def test_the_only_port_of_a_ulx3s():
    assert the_board([ULX3S, *OTHERS]) == Found(port="/dev/ttyUSB2", board="ulx3s-85f")


def test_a_daplink_and_its_rate():
    port = Port("/dev/ttyACM1", 0x0D28, 0x0204, "DAPLink CMSIS-DAP", "1-6:1.1")
    assert the_board([port, *OTHERS]) == Found(port="/dev/ttyACM1", board=None, baud=115_200)


def test_a_chip_whose_board_is_not_known():
    ports = [Port("COM4", 0x0403, 0x6010, None, None), Port("COM5", 0x0403, 0x6010, None, None)]
    assert find_boards(ports) == [Found(port="COM5", board=None)]
    assert find_boards([Port("COM3", 0x0403, 0x6015)]) == [Found(port="COM3", board=None)]


def test_no_board():
    with pytest.raises(DeviceError) as caught:
        the_board(OTHERS)
    assert str(caught.value) == (
        "no board found on USB; plug one in, or name its port as in serial:/dev/ttyUSB1, or start "
        "a simulated one with virtual:icebreaker"
    )


def test_several_boards():
    with pytest.raises(DeviceError) as caught:
        the_board([ULX3S, *ICEBREAKER, Port("/dev/ttyUSB4", 0x0403, 0x6015)])
    assert str(caught.value) == (
        "several boards found: /dev/ttyUSB1 (icebreaker), /dev/ttyUSB2 (ulx3s-85f), /dev/ttyUSB4 "
        "(unknown board); name one, as in serial:/dev/ttyUSB1"
    )
