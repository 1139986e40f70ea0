"""Writes the Verilog of an engine, its file list, its parameters and a table of its ports.

One engine runs every ticket that fits its memories; with --ticket they are made large enough for
that ticket, and with --engine it is the very engine that was planned or built. Nothing of the
ticket itself goes into the Verilog."""

from pathlib import Path

from .engines import add_engine, read_engine
from .output import add_json, emit, working

SUMMARY = "write the Verilog of an engine"

EXAMPLES = """\
  tombola rtl --geometry 8x8 --out build/rtl
  tombola rtl --geometry 16x16 --ticket my.ticket --out build/rtl
  tombola rtl --engine plan.json --out build/rtl"""

FILES = ("tombola_engine.v", "files.f", "design.json", "ports.md")


def add_arguments(parser):
    """Declare the arguments of the verb."""
    parser.add_argument(
        "--geometry", metavar="RxL[xP]",
        help="rows (output channels) x lanes (input channels) x pixels (output positions) at once; "
        "default 8x8",
    )
    add_engine(parser, purpose="the engine that")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--ticket", type=Path, metavar="TICKET", help="make the memories large enough for it"
    )
    add_json(parser)


def run(args) -> int:
    """Write the files and show the ports."""
    config = _config(args)
    _check_folder(args.out)
    with working(f"writing the Verilog of a {config.geometry} engine"):
        from tombola_hw.generate import write_rtl

        design = write_rtl(config, args.out)
    document = {
        "out": args.out,
        "geometry": config.geometry,
        "macs": config.macs,
        **design,
        "files": [args.out / name for name in FILES],
    }
    emit(document, json_mode=args.json, table=lambda: _table(document))
    return 0


def _config(args):
    from ..spec.engine import EngineConfig
    from ..spec.errors import ConfigError

    geometry = args.geometry or "8x8"
    if args.engine is not None:
        if args.geometry or args.ticket:
            raise ConfigError(
                "--engine says all of the engine; leave out --geometry and --ticket"
            )
        return read_engine(args.engine)
    if args.ticket is None:
        return EngineConfig.for_geometry(geometry)
    from ..compiler.sizing import engine_for
    from ..spec import ticket_file

    return engine_for(ticket_file.load(args.ticket), geometry)


def _check_folder(out: Path):
    from ..spec.errors import TombolaError

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TombolaError(f"cannot write {out}: {error.strerror or error}") from None


def _table(document):
    from rich.console import Group
    from rich.table import Table

    ports = Table("port", "direction", "width", "meaning", title=document["top"])
    for port in document["ports"]:
        ports.add_row(port["name"], port["direction"], str(port["width"]), port["meaning"])
    sizes = Table("parameter", "value", title="parameters")
    for name, value in document["config"].items():
        sizes.add_row(name, str(value))
    return Group(ports, sizes, *(f"written  {file}" for file in document["files"]))
