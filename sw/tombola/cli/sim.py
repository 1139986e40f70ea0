"""Runs test images through an engine's Verilog and compares every logit with the integer model.

The whole network runs in the generated Verilog, under cocotb and Verilator, from the host bus to
the result memory. Exit status 0 means that each value agrees; 1 that at least one does not, and
the first wrong layer, channel and position of the first images are named.

The engine is generated with memories large enough for the ticket, or it is that of --engine, or of
--rtl."""

import math
from pathlib import Path

from .engines import add_engine, read_engine
from .output import add_json, counting, emit, log, working

SUMMARY = "prove a ticket on the generated Verilog, bit for bit"

EXAMPLES = """\
  tombola sim digits-cnn.ticket --samples 100
  tombola sim my.ticket --samples 20 --geometry 16x16 --jobs 2
  tombola sim my.ticket --samples 20 --engine plan.json
  tombola sim fmnist-cnn.ticket --samples 10000 --geometry 8x8x2 --jobs 2 --resume all.npz
  tombola sim my.ticket --samples 5 --rtl build/rtl --waves run.vcd --dump run.npz"""

WAVES = Path("waves.vcd")
RANDOM = "random"


def add_arguments(parser):
    """Declare the arguments of the verb."""
    parser.add_argument("ticket", type=Path, metavar="TICKET", help="the ticket file")
    parser.add_argument(
        "--samples", type=int, default=100, metavar="N", help="test images to run; default 100"
    )
    parser.add_argument(
        "--geometry", metavar="RxL[xP]",
        help="rows x lanes x pixels of the engine; default 8x8, or that of --engine or --rtl",
    )
    add_engine(parser, purpose="on the engine that")
    parser.add_argument(
        "--rtl", type=Path, metavar="DIR", help="Verilog that tombola rtl wrote, instead of new one"
    )
    parser.add_argument(
        "--dataset", metavar="NAME",
        help=f"instead of the one the ticket names; {RANDOM} for images of random bytes",
    )
    parser.add_argument("--data-dir", metavar="DIR", help="a folder for data sets")
    parser.add_argument(
        "--dump", type=Path, metavar="FILE.npz", help="write images and the engine's logits"
    )
    parser.add_argument(
        "--waves", type=Path, nargs="?", const=WAVES, metavar="FILE",
        help=f"write a waveform, .vcd or .fst, some 9 KB a clock; {WAVES} if no file is named",
    )
    parser.add_argument(
        "--batch", type=int, default=1, metavar="B",
        help="images of one run, for networks of linear layers: a weight is built once for all B",
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="simulator processes; default 1"
    )
    parser.add_argument(
        "--resume", type=Path, metavar="FILE.npz",
        help="keep the engine's answers; stopped, the same command goes on where it ended",
    )
    add_json(parser)


def run(args) -> int:
    """Simulate, compare, report."""
    from ..spec import ticket_file

    _check_options(args)
    ticket = ticket_file.load(args.ticket)
    images, labels, dataset = _images(ticket, args)
    _check_writable(args.dump, args.waves)
    folder = _engine(ticket, args)

    from tombola_sim import rtl
    from tombola_sim.build import build
    from tombola_sim.cosim import cosimulate

    with working("building the simulator"):
        build(rtl.load(folder), wave_format=None if args.waves is None else args.waves.suffix)
    try:
        with counting("images simulated", len(images)) as progress:
            report = cosimulate(
                ticket, folder, images,
                waves=args.waves, dump=args.dump, resume=args.resume, jobs=args.jobs,
                progress=progress, batch=args.batch,
            )
    except KeyboardInterrupt:
        if args.resume is not None:
            log(f"answers so far are in {args.resume}; the same command goes on from there")
        raise
    for mismatch in report.mismatches:
        log(f"mismatch: {mismatch}")
    document = {
        "ticket": args.ticket,
        "dataset": dataset,
        **report.to_json(),
        "accuracy": None if labels is None else float((report.winners == labels).mean()),
        "dump": args.dump,
        "waves": args.waves,
    }
    emit(document, json_mode=args.json, table=lambda: _table(document))
    return 0 if report.exact else 1


def _images(ticket, args):
    from ..spec.errors import ConfigError

    name = args.dataset or ticket.provenance.get("dataset")
    if not isinstance(name, str):
        raise ConfigError(
            f"the ticket names no data set; say which with --dataset, {RANDOM} for random images"
        )
    if name == RANDOM:
        return _random_images(ticket, args.samples)
    from ..data.catalog import load

    data = load(name, data_dir=args.data_dir)
    if math.prod(data.image_shape) != math.prod(ticket.input.shape):
        have, want = ("x".join(map(str, each)) for each in (data.image_shape, ticket.input.shape))
        raise ConfigError(f"images must be {want} for this ticket, not {have} as those of {name}")
    most = len(data.test_images)
    if not 1 <= args.samples <= most:
        raise ConfigError(f"samples must be between 1 and {most}, not {args.samples}")
    return data.test_images[: args.samples], data.test_labels[: args.samples], data.name


def _random_images(ticket, count):
    import numpy as np

    from ..spec.errors import ConfigError

    if count < 1:
        raise ConfigError(f"samples must be at least 1, not {count}")
    images = np.random.default_rng(1).integers(0, 256, (count, *ticket.input.shape), np.uint8)
    return images, None, "random bytes"


def _check_options(args):
    """Refuses what no ticket and no data can mend."""
    from ..spec.errors import ConfigError

    for name in ("jobs", "batch"):
        if getattr(args, name) < 1:
            raise ConfigError(f"{name} must be at least 1, not {getattr(args, name)}")
    if args.engine is not None and (args.geometry or args.rtl):
        raise ConfigError("--engine says all of the engine; leave out --geometry and --rtl")
    if args.waves is not None and args.jobs > 1:
        raise ConfigError(f"waves are of one simulation, so they want 1 job, not {args.jobs}")
    if args.waves is not None and args.waves.suffix not in (".fst", ".vcd"):
        raise ConfigError(f"waves must be a .fst or .vcd file, not {args.waves}")
    if args.dump is not None and args.dump.suffix != ".npz":
        raise ConfigError(f"dump must be a .npz file, not {args.dump}")
    if args.resume is not None and args.resume.suffix != ".npz":
        raise ConfigError(f"resume must be a .npz file, not {args.resume}")
    if args.resume is not None and args.waves is not None:
        raise ConfigError("waves are of a whole simulation, so they want none to resume")


def _check_writable(dump, waves):
    """Refuses before the simulation what would fail after it."""
    from ..spec.errors import TombolaError

    for file in (dump, waves):
        if file is not None:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
            except OSError as error:
                raise TombolaError(f"cannot write {file}: {error.strerror or error}") from None


def _engine(ticket, args) -> Path:
    """The folder with the Verilog."""
    if args.rtl is None:
        from .engine_rtl import cached_rtl

        config = _config(ticket, args)
        with working(f"generating the Verilog of a {config.geometry} engine"):
            return cached_rtl(config)
    from tombola_sim import rtl

    geometry = rtl.load(args.rtl).config.geometry
    if args.geometry is not None and args.geometry.lower() != geometry:
        from ..spec.errors import ConfigError

        raise ConfigError(f"{args.rtl} holds a {geometry} engine, not {args.geometry}")
    return args.rtl


def _config(ticket, args):
    if args.engine is not None:
        return read_engine(args.engine)
    from ..compiler.sizing import engine_for

    return engine_for(ticket, args.geometry or "8x8", batch=args.batch)


def _table(document):
    from rich.table import Table

    counters, accuracy = document["counters"], document["accuracy"]
    table = Table("co-simulation", document["geometry"])
    for name, value in (
        ("images", f"{document['samples']:,} of {document['dataset']}"),
        ("logits compared", f"{document['values_compared']:,}"),
        ("mismatches", f"{document['mismatches']:,} in {document['wrong_samples']:,} images"),
        ("accuracy of the engine", "" if accuracy is None else f"{accuracy:.2%}"),
        ("cycles an inference", f"{document['cycles_per_inference']:,}"),
        ("  array busy", f"{counters['busy_cycles']:,}"),
        ("  waiting for weights", f"{counters['weight_stalls']:,}"),
        ("  waiting for requantisation", f"{counters['output_stalls']:,}"),
        ("masked additions an inference", f"{document['macs_per_inference']:,}"),
        ("utilisation of the array", f"{document['mac_utilisation']:.1%}"),
        ("simulated cycles a second", f"{document['simulated_cycles_per_second']:,}"),
    ):
        table.add_row(name, value)
    return table
