import hashlib
import json
import re
import shlex
import sys
from dataclasses import replace

import pytest
from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.cli.main import main
from tombola.spec.errors import ConfigError, ToolError
from tombola.spec.power_up import PowerUp
from tombola.spec.programs import Tool
from tombola_boards import build, build_cache, contents, flow_run, registry
from tombola_boards.board import Family
from tombola_boards.build import build_board
from tombola_boards.flow import Flow, Step
from tombola_boards.flow_run import clock_message, first_error
from tombola_boards.registry import BOARDS, board_named
from tombola_boards.report import Report
from tombola_hw.uart import UartReceiver

FLOW = Flow(
    files={"top.il": "netlist", "top.ys": "write_json top.json\n"},
    synthesis=Step(name="synthesis", tool="yosys", arguments=("-q",)),
    place_route=Step(name="place_route", tool="nextpnr-ice40", arguments=("--freq", "24")),
    pack=Step(name="pack", tool="icepack", arguments=("in", "out")),
    bitstream="top.bin",
)
TOOLS = {name: Tool(name=name, argv=(name,), version=(1, 2)) for name in FLOW.tools}
SMALL = board_named("icebreaker").config_for("1x2")

# Stands for every program: writes what the step would, and a clock that the seed decides.
FAKE = """
import json, sys
arguments = sys.argv[1:]
if arguments[0] == "yosys":
    for line in open("top.ys").read().splitlines():
        if line.startswith("write_json"):
            open(line.split()[1], "w").write('{"modules": {"top": {"cells": {}}}}')
    open("synthesis.log", "w").write("log")
elif arguments[0] == "nextpnr-ice40":
    seed = int(arguments[arguments.index("--seed") + 1])
    if seed == FAILS:
        print("Info: so far\\nERROR: no way\\nlater")
        sys.exit(1)
    if seed <= UNROUTED:
        print("Warning: Failed to find a route\\nERROR: Routing design failed.")
        sys.exit(1)
    cells = ("ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_DSP", "ICESTORM_SPRAM")
    open("report.json", "w").write(json.dumps({
        "utilization": {cell: {"used": 1, "available": 2} for cell in cells},
        "fmax": {"clock": {"achieved": 20 + 2 * seed}}, "critical_paths": [],
    }))
    short = 12 if seed <= HOLD else 0
    open("place_route.log", "w").write(f"Info: {short} Hold/min time violations\\n" * (short > 0))
    open("top.asc", "w").write(f"seed {seed}")
else:
    open("top.bin", "w").write(open("top.asc").read())
"""


@pytest.fixture
def fake_tools(tmp_path, monkeypatch):
    """Programs that pretend.

    `fails` is the seed at which placement breaks down, `hold` the last with too short paths,
    `unrouted` the last without a route.
    """
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path / "cache"))

    def install(**seeds):
        script, text = tmp_path / "fake.py", FAKE
        for word in ("fails", "hold", "unrouted"):
            text = text.replace(word.upper(), str(seeds.get(word, 0)))
        script.write_text(text)
        monkeypatch.setattr(build, "find_tool", lambda name: Tool(
            name=name, argv=(sys.executable, str(script), name), version=(1, 2)
        ))

    # The netlist decides nothing here, and elaboration takes seconds.
    monkeypatch.setattr(build, "prepare", lambda board, core: FLOW)
    install()
    return install


def test_cache_key_is_decided_by_everything_that_decides_the_result():
    key = build_cache.cache_key(FLOW, TOOLS, seeds=1)
    assert key == build_cache.cache_key(FLOW, dict(reversed(TOOLS.items())), seeds=1)
    newer = {**TOOLS, "yosys": replace(TOOLS["yosys"], version=(1, 3))}
    others = [
        build_cache.cache_key(FLOW, TOOLS, seeds=2),
        build_cache.cache_key(FLOW, newer, seeds=1),
        build_cache.cache_key(replace(FLOW, files={"top.il": "other"}), TOOLS, seeds=1),
        build_cache.cache_key(
            replace(FLOW, pack=replace(FLOW.pack, arguments=("in",))), TOOLS, seeds=1
        ),
    ]
    assert len({key, *others}) == 5


def test_takes_the_first_seed_that_meets_the_clock(fake_tools):
    stages = []
    built = build_board(board_named("icebreaker"), config=SMALL, progress=stages.append)
    assert built.files["icebreaker.bin"] == b"seed 2"
    assert built.document["seed"] == 2
    assert built.document["fmax_mhz"] == 24.0
    assert built.document["bitstream_sha256"] == hashlib.sha256(b"seed 2").hexdigest()
    assert stages == [
        "elaboration", "synthesis", "place_route, seed 1", "place_route, seed 2", "pack"
    ]


def test_a_finished_build_is_found_again(fake_tools):
    first = build_board(board_named("icebreaker"), config=SMALL)
    stages = []
    again = build_board(board_named("icebreaker"), config=SMALL, progress=stages.append)
    assert stages == ["elaboration"]
    assert again == first


def exchanged(placed, family, config, power_up):
    """In place of `contents.exchange`."""
    return f"{placed} with {power_up.ticket[0]}"


def test_a_second_ticket_is_not_placed_again(fake_tools, monkeypatch):
    monkeypatch.setattr(contents, "exchange", exchanged)
    board, stages = board_named("icebreaker"), []
    built = [
        build_board(
            board, config=SMALL, power_up=PowerUp(ticket=[number]), progress=stages.append
        )
        for number in (7, 8)
    ]
    assert stages == [
        "elaboration", "synthesis", "place_route, seed 1", "place_route, seed 2", "pack", "pack",
        "elaboration", "pack",
    ]  # fmt: skip
    for number, each in zip((7, 8), built, strict=True):
        bitstream = f"seed 2 with {number}".encode()
        assert each.files["icebreaker.bin"] == bitstream
        assert each.document["bitstream_sha256"] == hashlib.sha256(bitstream).hexdigest()
        assert each.document == json.loads(each.files["build.json"])
        assert "top.asc" not in each.files
    assert {**built[0].document, "bitstream_sha256": "", "seconds": {}} == {
        **built[1].document, "bitstream_sha256": "", "seconds": {}
    }


def test_a_family_without_exchange_is_placed_with_its_ticket(fake_tools, monkeypatch):
    power_up, cores = PowerUp(ticket=[5]), []
    monkeypatch.setattr(contents, "exchange", exchanged)
    monkeypatch.setattr(build, "serial_engine", lambda board, config, power_up: power_up)
    monkeypatch.setattr(build, "prepare", lambda board, core: cores.append(core) or FLOW)
    for layouts in (contents.LAYOUTS, {}):
        monkeypatch.setattr(contents, "LAYOUTS", layouts)
        built = build_board(
            board_named("icebreaker"), config=SMALL, power_up=power_up, use_cache=False
        )
        assert (built.files["icebreaker.bin"] == b"seed 2") == (layouts == {})
    assert cores == [None, contents.placeholder(SMALL), power_up]


def test_clock_that_is_not_met(fake_tools):
    message = (
        "icebreaker: clock must be at most 22 MHz for this engine, not 24 MHz (best of 1 "
        "placement); try --seeds 2 or a smaller --geometry"
    )
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        build_board(board_named("icebreaker"), config=SMALL, seeds=1)


def test_a_placement_with_short_paths_is_not_taken(fake_tools):
    fake_tools(hold=3)
    built = build_board(board_named("icebreaker"), config=SMALL)
    assert built.document["seed"] == 4


def test_short_paths_are_refused_however_fast_the_design_is(fake_tools):
    fake_tools(hold=9)
    message = (
        "icebreaker: paths that end before their hold time must be 0, not 12 (best of 4 "
        "placements); try --seeds 8 or another --geometry"
    )
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        build_board(board_named("icebreaker"), config=SMALL)


def test_a_placement_without_a_route_is_followed_by_another(fake_tools):
    fake_tools(unrouted=2)
    assert build_board(board_named("icebreaker"), config=SMALL).document["seed"] == 3


def test_no_placement_has_a_route(fake_tools):
    fake_tools(unrouted=4)
    message = (
        "icebreaker: nextpnr must find a route for each wire, and did not in 4 placements; try "
        "--seeds 8 or a smaller --geometry"
    )
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        build_board(board_named("icebreaker"), config=SMALL)


def test_the_netlist_is_rewritten_before_placement(fake_tools, monkeypatch):
    seen = []

    def rewrite(netlist):
        seen.append(netlist)
        return netlist.replace("top", "rewritten")

    flow = replace(FLOW, rewrite=rewrite)
    monkeypatch.setattr(build, "prepare", lambda board, core: flow)
    counted = []
    monkeypatch.setattr(flow_run, "count_flip_flops", lambda text: counted.append(text) or 0)
    build_board(board_named("icebreaker"), config=SMALL)
    assert counted == [seen[0].replace("top", "rewritten")]


def test_clock_message_names_the_slowest_path():
    report = Report(used={}, capacity={}, fmax_mhz=71.25, slowest_path="a to b, 14.0 ns")
    assert clock_message(board_named("ulx3s-25f"), report, 4) == (
        "ulx3s-25f: clock must be at most 71.25 MHz for this engine, not 80 MHz (best of 4 "
        "placements; slowest path: a to b, 14.0 ns); try --seeds 8, a lower --clock or a smaller "
        "--geometry"
    )


def test_a_program_that_fails(fake_tools):
    fake_tools(fails=1)
    with pytest.raises(ToolError, match="^icebreaker: nextpnr-ice40 failed: ERROR: no way$"):
        build_board(board_named("icebreaker"), config=SMALL)


@pytest.mark.parametrize("messages, line", [
    ("a\nERROR: b\nc\n", "ERROR: b"), ("a\nb\n\n", "b"), ("", "no message"),
])
def test_the_line_that_says_why(messages, line):
    assert first_error(messages) == line


def test_seeds_are_checked():
    with pytest.raises(ConfigError, match="^seeds must be at least 1, not 0$"):
        build_board(board_named("icebreaker"), seeds=0)
    with pytest.raises(TypeError, match="^seeds must be an int, not '1'$"):
        build_board(board_named("icebreaker"), seeds="1")


def test_verb_writes_a_folder_and_a_document(fake_tools, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = f"build --board icebreaker --geometry 1x2 --json --out {shlex.quote(str(out))}"
    assert main(shlex.split(arguments)) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["bitstream"] == str(out / "icebreaker.bin")
    assert (out / "icebreaker.bin").read_bytes() == b"seed 2"
    written = json.loads((out / "build.json").read_text())
    assert written["bitstream"] == "icebreaker.bin"
    for key in (
        "board", "geometry", "macs", "lut4", "ff", "block_ram", "dsp", "spram", "capacity",
        "fmax_mhz", "clock_mhz", "seconds",
    ):
        assert written[key] == document[key]


def test_verb_draws_bars(fake_tools, tmp_path, capsys):
    arguments = ["build", "--board", "icebreaker", "--geometry", "1x2", "--out", str(tmp_path)]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "icebreaker, 1x2: 2 MACs" in shown
    assert "█" * 15 + "░" * 15 + "  50%" in shown
    assert "for a clock of 24 MHz, +0%" in shown


def test_verb_builds_every_board_and_goes_on_after_one_that_fails(
    fake_tools, tmp_path, monkeypatch, capsys
):
    met, missed = BOARDS["icebreaker"], BOARDS["ice40-hx8k"]
    monkeypatch.setattr(registry, "BOARDS", {board.name: board for board in (missed, met)})
    monkeypatch.setattr(
        build, "prepare",
        lambda board, core: replace(FLOW, files={**FLOW.files, "top.il": board.name}),
    )
    arguments = ["build", "--board", "all", "--seeds", "2", "--out", str(tmp_path)]
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out.splitlines()[1:] == [
        " icebreaker  16x4      64   50%    50%   50%   24.0 of 24 MHz "
    ]
    assert shown.err.splitlines()[-1].startswith(
        "tombola: error: all 2 boards must build, not 1: ice40-hx8k: clock must be at most 24 MHz"
    )
    assert (tmp_path / "icebreaker" / "icebreaker.bin").read_bytes() == b"seed 2"
    assert not (tmp_path / "ice40-hx8k").exists()

    assert main([*arguments, "--json"]) == 2
    shown = capsys.readouterr()
    # What is finished is not built again.
    assert "ice40-hx8k: synthesis" in shown.err and "icebreaker: synthesis" not in shown.err
    document = json.loads(shown.out)
    assert [each["board"] for each in document["boards"]] == ["icebreaker"]
    assert list(document["failed"]) == ["ice40-hx8k"]


def test_verb_without_the_programs_writes_nothing(tmp_path, monkeypatch, capsys):
    def missing(name):
        raise ToolError(f"{name} is missing; run pip install it")

    monkeypatch.setattr(build, "find_tool", missing)
    out = tmp_path / "out"
    assert main(["build", "--board", "all", "--out", str(out)]) == 2
    assert capsys.readouterr().err == (
        "tombola: error: yosys is missing; run pip install it\n"
    )
    assert not out.exists()


def test_verb_with_an_unknown_board(tmp_path, capsys):
    assert main(["build", "--board", "de10", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"tombola: error: board must be one of {', '.join(sorted(BOARDS))}, not de10\n"
    )


class Lamps(wiring.Component):
    """A core that is placed in seconds: a lamp that counts the bytes of the serial line."""

    def __init__(self, divisor):
        self._divisor = divisor
        super().__init__({
            "rx": In(1), "tx": Out(1), "ready": Out(1), "busy": Out(1), "error": Out(1)
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.uart = uart = UartReceiver(self._divisor)
        count = Signal(3)
        with m.If(uart.bytes.valid):
            m.d.sync += count.eq(count + 1)
        m.d.comb += [
            uart.line.eq(self.rx),
            self.tx.eq(self.rx),
            Cat(self.ready, self.busy, self.error).eq(count),
        ]
        return m


def _build_twice(name, tmp_path, monkeypatch):
    """Builds with an empty cache each time; the bytes must be the same and the clock met."""
    board = board_named(name)
    bitstreams = []
    for attempt in range(2):
        monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path / f"cache{attempt}"))
        built = build_board(board)
        assert built.document["fmax_mhz"] >= board.clock_mhz
        bitstreams.append(built.files[built.document["bitstream"]])
    assert bitstreams[0] == bitstreams[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BOARDS))
def test_small_core_is_the_same_bytes_again(name, tmp_path, monkeypatch):
    board = board_named(name)
    monkeypatch.setattr(build, "serial_engine", lambda *_, **__: Lamps(board.divisor))
    _build_twice(name, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["icebreaker", "ulx3s-25f"])
def test_engine_is_the_same_bytes_again(name, tmp_path, monkeypatch):
    _build_twice(name, tmp_path, monkeypatch)


# As openFPGALoader's list of parts has them.
IDCODES = {"12F": 0x21111043, "25F": 0x41111043, "45F": 0x41112043, "85F": 0x41113043}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BOARDS))
def test_every_board_builds(name):
    # What was built before comes from the cache: all of them take hours.
    board = board_named(name)
    built = build_board(board)
    document = built.document
    assert document["fmax_mhz"] >= board.clock_mhz
    assert all(document[cells] <= total for cells, total in document["capacity"].items())
    if board.family is Family.ECP5:
        # The command that makes a part refuse what is for another one: a 12F is a 25F's die.
        command = b"\xe2\x00\x00\x00" + IDCODES[board.title[-3:]].to_bytes(4, "big")
        assert command in built.files[document["bitstream"]]
