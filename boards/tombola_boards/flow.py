"""The programs that make a bitstream of a netlist, with every argument, per FPGA family."""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from amaranth.build.run import BuildPlan

from tombola_boards import ecp5_netlist, gowin_netlist
from tombola_boards.board import Board, Family

NAME = "top"
"""Of the top module and, with an ending, of every file; programs run in the folder of the files."""
NETLIST, REPORT = f"{NAME}.json", "report.json"
SYNTHESIS_LOG, PLACEMENT_LOG = "synthesis.log", "place_route.log"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One program to run.

    Attributes
    ----------
    name : str
        ``synthesis``, ``place_route`` or ``pack``.
    tool : str
        A name of `tombola_boards.tools.TOOLS`.
    arguments : tuple of str
    """

    name: str
    tool: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """From the files Amaranth prepared to a bitstream.

    Attributes
    ----------
    files : dict of str to str
        Inputs by name; the same for the same design, on any machine.
    synthesis, pack : Step
    place_route : Step
        Without its seed.
    bitstream : str
        Name of the result.
    rewrite : callable
        Changes the netlist between synthesis and placement.
    contents : str, optional
        Name of a second netlist that synthesis makes: its block RAMs say with what those of the
        first are placed.
    """

    files: Mapping[str, str]
    synthesis: Step
    place_route: Step
    pack: Step
    bitstream: str
    rewrite: Callable[[str], str] = str
    contents: str | None = None

    @property
    def tools(self) -> tuple[str, ...]:
        """Programs it needs, in order of use."""
        return (self.synthesis.tool, self.place_route.tool, self.pack.tool)

    def place_route_with(self, seed: int) -> Step:
        """Placement and routing from a starting point of its own."""
        step = self.place_route
        arguments = (*step.arguments, "--seed", str(seed))
        return Step(name=step.name, tool=step.tool, arguments=arguments)


TOOLS = {
    Family.ICE40: ("yosys", "nextpnr-ice40", "icepack"),
    Family.ECP5: ("yosys", "nextpnr-ecp5", "ecppack"),
    Family.GOWIN: ("yosys", "nextpnr-himbaechel", "gowin_pack"),
}
"""Programs of each family, in order of use."""


def make_flow(board: Board, platform, plan: BuildPlan) -> Flow:
    """The flow of a board.

    Parameters
    ----------
    board : Board
    platform : amaranth Platform
        The one that prepared `plan`; knows part and package.
    plan : BuildPlan
        Prepared with ``emit_src=False``, or the paths of this installation are in it.
    """
    make = {Family.ICE40: _ice40, Family.ECP5: _ecp5, Family.GOWIN: _gowin}[board.family]
    return make(board, platform, plan)


def _files(plan: BuildPlan, constraints: str, synthesis: str) -> dict[str, str]:
    script = f"read_rtlil {NAME}.il\n{synthesis}\nwrite_json {NETLIST}\n"
    netlist = without_collisions(plan.files[f"{NAME}.il"])
    return {f"{NAME}.il": netlist, constraints: plan.files[constraints], f"{NAME}.ys": script}


def without_collisions(netlist: str) -> str:
    """Tells synthesis that no word is read in the clock in which it is written.

    Amaranth's memories define what such a read gives, and block RAM does not, so that synthesis
    adds a bypass: 540 logic cells on an iCE40. None of our cores uses such a word. A read without a
    clock is of the word before the write, in LUT RAM as well.
    """
    return _CLOCKED_READ.sub(r"\g<1>1\g<2>", netlist)


_CLOCKED_READ = re.compile(
    r"(\\COLLISION_X_MASK 1')0((?:\n +parameter .*)*?\n +parameter \\CLK_ENABLE 1\n)"
)


def _synthesis() -> Step:
    return Step(
        name="synthesis", tool="yosys", arguments=("-q", "-l", SYNTHESIS_LOG, f"{NAME}.ys")
    )


def _place_route(board: Board, tool: str, *arguments: str) -> Step:
    return Step(
        name="place_route",
        tool=tool,
        arguments=(
            *arguments,
            *("--json", NETLIST, "--report", REPORT, "--quiet", "--log", PLACEMENT_LOG),
            *("--freq", f"{board.clock_mhz:g}"),
            # The report says by how much; we refuse the result ourselves.
            "--timing-allow-fail",
        ),
    )


def _ice40(board: Board, platform, plan: BuildPlan) -> Flow:
    device = platform._nextpnr_device_options[platform.device]
    # Only an UltraPlus has multiplier blocks.
    part = "-device u -dsp" if "UP" in platform.device else "-device hx"
    # More rounds of ABC, told to spend the clock period on area: 129 of 5,419 logic cells.
    picoseconds = round(1e12 / board.clock_hz * MAPPED_SHARE)
    effort = f"{ABC_EFFORT}scratchpad -set abc9.D {picoseconds}\n"
    return Flow(
        files=_files(plan, f"{NAME}.pcf", f"{effort}synth_ice40 {part}"),
        synthesis=_synthesis(),
        place_route=_place_route(
            board, "nextpnr-ice40", device, "--package", platform.package.lower(),
            "--pcf", f"{NAME}.pcf", "--asc", f"{NAME}.asc",
        ),
        pack=Step(name="pack", tool="icepack", arguments=(f"{NAME}.asc", f"{NAME}.bin")),
        bitstream=f"{NAME}.bin",
    )


ABC_EFFORT = "scratchpad -copy abc9.script.flow2 abc9.script\n"
MAPPED_SHARE = 0.84
"""Of a clock period for the cells alone as ABC knows them; their wires take more than the rest."""


def _ecp5(board: Board, platform, plan: BuildPlan) -> Flow:
    device = platform._nextpnr_device_options[platform.device]
    package = platform._nextpnr_package_options[platform.package].upper()
    return Flow(
        # More rounds of ABC spare 418 of 4,050 LUTs of an engine of 32x16, but double the choices
        # between the words of eight pixels.
        files=_files(plan, f"{NAME}.lpf", f"synth_ecp5 -top {NAME}"),
        synthesis=_synthesis(),
        place_route=_place_route(
            board, "nextpnr-ecp5", device, "--package", package, "--speed", platform.speed,
            "--lpf", f"{NAME}.lpf", "--textcfg", f"{NAME}.config",
            # What is critical counts more than nextpnr has it: an engine of 32x16 on a 25F that got
            # 96.2 MHz gets 99.3, from the same seed.
            "--placer-heap-timingweight", "20", "--placer-heap-critexp", "4",
        ),
        pack=Step(
            name="pack", tool="ecppack",
            arguments=("--compress", "--input", f"{NAME}.config", "--bit", f"{NAME}.bit"),
        ),
        bitstream=f"{NAME}.bit",
        rewrite=functools.partial(ecp5_netlist.open_carries, top=NAME),
    )


def _gowin(board: Board, platform, plan: BuildPlan) -> Flow:
    die = platform._chipdb_device
    commands = gowin_netlist.synthesis(die[:4].lower(), NAME)
    return Flow(
        files={
            **_files(plan, f"{NAME}.cst", commands),
            gowin_netlist.MEMORY_FILE: gowin_netlist.BLOCK_RAM,
            gowin_netlist.LUT_FILE: gowin_netlist.LUTS,
        },
        synthesis=_synthesis(),
        place_route=_place_route(
            board, "nextpnr-himbaechel", "--device", platform.part, "--vopt", f"family={die}",
            "--vopt", f"cst={NAME}.cst", "--write", f"{NAME}.pnr.json",
        ),
        pack=Step(
            name="pack", tool="gowin_pack",
            arguments=("-d", die, "-o", f"{NAME}.fs", f"{NAME}.pnr.json"),
        ),
        bitstream=f"{NAME}.fs",
        rewrite=functools.partial(gowin_netlist.pair_registers, top=NAME),
    )
