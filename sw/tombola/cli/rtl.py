"""Writes the Verilog of an engine, its file list, its parameters and a table of its ports.

One engine runs every ticket that fits its memories; with --ticket they are made large enough for
that ticket. Nothing of the ticket itself goes into the Verilog."""

from pathlib import Path

from .output import add_json, emit, working

SUMMARY = "write the Verilog of an engine"

EXAMPLES = """\
  tombola rtl --geometry 8x8 --out build/rtl
  tombola rtl --geometry 16x16 --ticket my.ticket --out build/rtl"""

FILES = ("tombola_engine.v", "files.f", "design.json", "ports.md")


def add_arguments(parser):
    """Declare the arguments of the verb."""
    parser.add_argument(
        "--geometry", default="8x8", metavar="RxL[xP]",
        help="rows (output channels) x lanes (input channels) x pixels (output positions) at once; "
        "default 8x8",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--ticket", type=Path, metavar="TICKET", help="make the memories large enough for it"
    )
    add_json(parser)


def run(args) -> int:
    """Write the files and show the ports."""
    from ..spec.engine import EngineConfig

    if args.ticket is None:
        config = EngineConfig.for_geometry(args.geometry)
    else:
        from ..compiler.sizing import engine_for
        from ..spec import ticket_file

        config = engine_for(ticket_file.load(args.ticket), args.geometry)
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
