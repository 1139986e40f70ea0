"""Programming: what programs are called with, and what each of their failures means."""

from dataclasses import replace

import pytest
from support.fake_programmer import FakeProgrammer

from tombola.spec.errors import ConfigError, DeviceError, ToolError
from tombola_boards import programming
from tombola_boards.board import Programmer
from tombola_boards.registry import BOARDS, board_named

ICEBREAKER, ULX3S = board_named("icebreaker"), board_named("ulx3s-25f")


@pytest.fixture
def programmer(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    return FakeProgrammer(tmp_path / "bin", monkeypatch)


@pytest.fixture
def bitstream(tmp_path):
    path = tmp_path / "top.bit"
    path.write_bytes(b"\x7e\xaa")
    return path


def test_into_sram_and_into_flash(programmer, bitstream):
    programmer.install("openFPGALoader")
    programming.program(ULX3S, bitstream)
    programming.program(ULX3S, bitstream, flash=True)
    assert programmer.calls == [
        ["openFPGALoader", "--board", "ulx3s", "7eaa"],
        ["openFPGALoader", "--board", "ulx3s", "--write-flash", "7eaa"],
    ]


def test_a_board_without_a_way_to_sram_is_programmed_through_flash(programmer, bitstream):
    programmer.install("iceprog", says="VERIFY OK\ncdone: high\nBye.\n")
    programming.program(ICEBREAKER, bitstream)
    assert programmer.calls == [["iceprog", "7eaa"]]


def test_every_board_can_be_programmed(bitstream):
    for board in BOARDS.values():
        words = programming.command(board, bitstream, flash=board.programmer.flash is not None)
        assert words[0] == board.programmer.tool and words[-1] == str(bitstream)
        assert programming.command(board, bitstream, flash=False)


@pytest.mark.parametrize(
    "board, says, message",
    [
        (ULX3S, "unable to open ftdi device: -4 (usb_open() failed)\n"
                "JTAG init failed with: unable to open ftdi device\n",
         "no permission to program the ulx3s-25f over USB; install the udev rule of "
         "docs/boards.md and plug the board in again"),
        (ULX3S, "unable to open ftdi device: -3 (device not found)\n"
                "JTAG init failed with: unable to open ftdi device\n",
         "openFPGALoader finds no ulx3s-25f; check the cable and the power, and what tombola "
         "board info ulx3s-25f says of both"),
        (ULX3S, "JTAG init failed with: No device found\n",
         "openFPGALoader finds no ulx3s-25f; check the cable and the power, and what tombola "
         "board info ulx3s-25f says of both"),
        (ULX3S, "DFU init failed with: No DFU compatible device found\n",
         "openFPGALoader finds no ulx3s-25f; check the cable and the power, and what tombola "
         "board info ulx3s-25f says of both"),
        (ULX3S, "\x1b[31mError: cannot find board 'ulx3s'\x1b[0m\n",
         "openFPGALoader 0.10 does not know the ulx3s-25f; install a newer one, as its page "
         "https://trabucayre.github.io/openFPGALoader says"),
        (ICEBREAKER, "init..\nCan't find iCE FTDI USB device (vendor_id 0x0403, device_id 0x6010 "
                     "or 0x6014).\nABORT.\n",
         "iceprog finds no icebreaker; plug it in, and if it is, install the udev rule of "
         "docs/boards.md"),
    ],
)  # fmt: skip
def test_boards_that_are_not_reached(programmer, bitstream, board, says, message):
    programmer.install(board.programmer.tool, says=says, status=1)
    with pytest.raises(DeviceError) as caught:
        programming.program(board, bitstream)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "says, last",
    [
        ("\x1b[33mwriting\x1b[0m\rwriting\r\x1b[31mFail: CRC\x1b[0m\n", "Fail: CRC"),
        ("", "it said nothing"),
    ],
)
def test_another_failure_keeps_the_words_of_the_program(programmer, bitstream, says, last):
    programmer.install("openFPGALoader", says=says, status=3)
    with pytest.raises(ToolError) as caught:
        programming.program(ULX3S, bitstream)
    assert str(caught.value) == (
        f"openFPGALoader failed with status 3: {last}; unplug the ulx3s-25f, plug it in and "
        "program it again"
    )


def test_a_part_that_does_not_start(programmer, bitstream):
    programmer.install("iceprog", says="cdone: high\nreset..\ncdone: low\nBye.\n")
    with pytest.raises(DeviceError) as caught:
        programming.program(ICEBREAKER, bitstream)
    assert str(caught.value) == (
        "the icebreaker does not start from what iceprog wrote; unplug it, plug it in and program "
        "it again"
    )


def test_a_programmer_that_hangs(programmer, bitstream, monkeypatch):
    programmer.install("openFPGALoader")
    script = bitstream.parent / "bin" / "openFPGALoader.py"
    script.write_text(f"import time\nif 'bit' in {str(bitstream)!r}: time.sleep(60)\n")
    monkeypatch.setattr(programming, "find_programmer", lambda board: programming.Tool(
        name="openFPGALoader", argv=("python3", str(script)), version=(0, 10)
    ))  # fmt: skip
    monkeypatch.setattr(programming, "PATIENCE", 0.5)
    with pytest.raises(ToolError) as caught:
        programming.program(ULX3S, bitstream)
    assert str(caught.value) == (
        "openFPGALoader did not end within 0.5 s; unplug the ulx3s-25f, plug it in and program it "
        "again"
    )


def test_a_missing_programmer(bitstream, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for board, advice in ((ULX3S, "openfpgaloader"), (ICEBREAKER, "fpga-icestorm")):
        with pytest.raises(ToolError) as caught:
            programming.program(board, bitstream)
        assert str(caught.value) == (
            f"{board.programmer.tool} is missing; run apt-get install {advice}"
        )


def test_a_missing_bitstream(programmer, tmp_path):
    with pytest.raises(ConfigError) as caught:
        programming.program(ULX3S, tmp_path / "none.bit")
    assert str(caught.value) == (
        f"there is no bitstream {tmp_path}/none.bit; leave it out to build one"
    )


def test_flash_that_is_not_there(programmer, bitstream):
    programmer.install("openFPGALoader")
    volatile = replace(ULX3S, programmer=Programmer(tool="openFPGALoader", sram=()))
    with pytest.raises(ConfigError) as caught:
        programming.program(volatile, bitstream, flash=True)
    assert str(caught.value) == (
        "ulx3s-25f has no flash that it boots from; leave --flash out"
    )
    assert programmer.calls == []
