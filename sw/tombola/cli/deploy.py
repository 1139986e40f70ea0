"""Brings a ticket onto a board: builds, programs, loads, and proves the board's answers.

Whether the ticket fits is known before anything is built. The bitstream comes from the cache if it
was built before. When the ticket is loaded, test images run on the board and each of their logits
is compared with the integer model: exit status 0 means that all are equal, 1 that one is not.

On a virtual board nothing is programmed: it simulates the very netlist of the bitstream.

With --engine the board gets the engine that was planned for the ticket in place of its own.

With --flash the ticket itself is in the bitstream and the board boots from flash, so that it has
its ticket at power-on."""

import tempfile
from pathlib import Path

from .engines import add_engine
from .output import add_json, emit, log, working

SUMMARY = "build, program, load and self-test a ticket on a board"

EXAMPLES = """\
  tombola deploy my.ticket --board icebreaker
  tombola deploy my.ticket --board ulx3s-25f --device serial:/dev/ttyUSB0 --flash
  tombola deploy my.ticket --board ulx3s-25f --virtual
  tombola plan my.ticket --board ulx3s-25f --json > plan.json
  tombola deploy my.ticket --board ulx3s-25f --engine plan.json"""


def add_arguments(parser):
    """Declare the arguments of the verb."""
    parser.add_argument("ticket", type=Path, metavar="TICKET", help="the ticket file")
    parser.add_argument("--board", metavar="B", help="its name in tombola board list")
    parser.add_argument(
        "--device", metavar="D",
        help="serial:PORT, virtual:BOARD, or auto (default) for the only board on USB",
    )
    parser.add_argument(
        "--virtual", action="store_true", help="on a simulated board instead of a real one"
    )
    add_engine(parser, purpose="build and program the engine that")
    parser.add_argument(
        "--flash", action="store_true",
        help="put the ticket into the bitstream and the bitstream into flash",
    )
    parser.add_argument(
        "--samples", type=int, default=20, metavar="N", help="images of the self-test; default 20"
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="a folder for data sets")
    add_json(parser)


def run(args) -> int:
    """All steps, each only if the one before it is done."""
    from ..compiler.program import compile_ticket
    from ..spec import ticket_file
    from ..spec.errors import DeviceError
    from .connecting import clock_of, connect, connect_again, is_virtual
    from .engines import with_engine
    from .samples import for_self_test
    from .trial import load_ticket, run_trial

    board, address = _target(args)
    if args.engine is not None:
        board = with_engine(board, args.engine)
    ticket = ticket_file.load(args.ticket)
    compile_ticket(ticket, board.config)
    samples = for_self_test(ticket, args.samples, data_dir=args.data_dir)
    virtual = is_virtual(address)
    document = {
        "ticket": args.ticket, "board": board.name, "simulated": virtual, "programmed": None
    }
    if not virtual:
        document |= _program(board, ticket if args.flash else None, args, address)
    with (
        connect(address, board=board, engine=args.engine)
        if virtual
        else connect_again(address, board)
    ) as device:
        written = load_ticket(device, ticket)
        if args.flash and written:
            raise DeviceError(
                f"the {board.name} did not start with the ticket that is in its bitstream; take "
                "its power away, give it back and run tombola infer"
            )
        trial = run_trial(device, ticket, samples)
        clock_hz, _ = clock_of(device, board)
        document |= {
            "ticket_written": written,
            "device": device.info.address,
            "geometry": device.info.config.geometry,
            **trial.to_json(),
            **trial.speed(clock_hz),
        }
    emit(document, json_mode=args.json, table=lambda: _table(document))
    return 0 if document["agreement"] == 1 else 1


def _target(args):
    """The board and the address of the device."""
    from tombola_boards.registry import board_named

    from ..spec.errors import ConfigError

    named = (args.device or "").startswith("virtual:") and args.device.partition(":")[2]
    if named and args.board not in (None, named):
        raise ConfigError(f"board must be that of --device {args.device}, not {args.board}")
    name = args.board or named
    if not name:
        raise ConfigError("deploy needs a board; name one of tombola board list with --board")
    board = board_named(name)
    if not (args.virtual or named):
        return board, args.device or "auto"
    if args.virtual and args.device and not named:
        raise ConfigError(f"a board is virtual or at {args.device}, not both; leave one out")
    if args.flash:
        raise ConfigError("a virtual board has no flash; leave --flash out")
    return board, f"virtual:{board.name}"


def _program(board, ticket, args, address) -> dict:
    """Builds and programs, once everything that this needs is seen to be there."""
    from tombola_boards import programming
    from tombola_boards.build import find_tools

    from .bitstream import build
    from .connecting import check_present

    programming.way_to(board, flash=args.flash)
    programming.find_programmer(board)
    find_tools(board)
    check_present(address, board)
    built = build(board, config=board.config, ticket=ticket)
    name = built.document["bitstream"]
    with tempfile.TemporaryDirectory(prefix="tombola-deploy-") as folder:
        bitstream = Path(folder) / name
        bitstream.write_bytes(built.files[name])
        if board.remark:
            log(f"{board.name}: {board.remark}")
        with working(f"programming the {board.name}"):
            programming.program(board, bitstream, flash=args.flash)
    return {
        "programmed": "flash" if args.flash or board.programmer.sram is None else "sram",
        "boots_with_ticket": args.flash,
        "bitstream_sha256": built.document["bitstream_sha256"],
    }


def _table(document):
    from .infer import summary_table

    table = summary_table(document)
    held = document["agreement"] == 1
    done = "the ticket answers" if held else "NOT deployed: the board answers wrongly"
    if held and document.get("boots_with_ticket"):
        done += ", and the board boots with it"
    table.add_row("deployed", done)
    return table
