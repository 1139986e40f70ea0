import pytest
from amaranth.back import verilog

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError
from tombola_boards.board import Board, Family, Programmer
from tombola_boards.registry import ALL, BOARDS, board_named
from tombola_boards.top import serial_engine

boards = pytest.mark.parametrize("name", sorted(BOARDS))


def test_names():
    assert len(ALL) == len(BOARDS)
    assert {"icebreaker", "ulx3s-25f"} <= set(BOARDS)
    assert all(board_named(name).name == name for name in BOARDS)


def test_unknown_board():
    message = f"^board must be one of {', '.join(sorted(BOARDS))}, not de10$"
    with pytest.raises(ConfigError, match=message):
        board_named("de10")


@boards
def test_serial_line_is_near_its_baud_rate(name):
    board = board_named(name)
    assert board.clock_hz / board.divisor == pytest.approx(board.baud, rel=0.005)


def test_a_baud_rate_the_clock_cannot_make():
    with pytest.raises(ConfigError, match="^baud must divide the clock of 24000000 Hz .* 9600000$"):
        Board(
            name="b", title="B", family=Family.ICE40, make_platform=object,
            clock_hz=24_000_000, baud=9_600_000, config=EngineConfig(),
            programmer=Programmer(tool="iceprog"), cable="", page="",
        )


@boards
def test_another_geometry_keeps_the_memories(name):
    board = board_named(name)
    config = board.config_for("4x2")
    assert config.geometry == "4x2"
    if board.spram:
        assert config.activation_words == board.config.activation_words
    else:
        assert config.activation_words * 2 == board.config.activation_words * board.config.lanes
    assert config.ticket_words == board.config.ticket_words


@boards
def test_core_becomes_verilog(name):
    board = board_named(name)
    core = serial_engine(board, board.config_for("2x4"))
    text = verilog.convert(core, name="tombola_board", strip_internal_attrs=True)
    assert "module tombola_board(" in text
