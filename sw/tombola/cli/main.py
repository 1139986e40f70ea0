"""The `tombola` command: finds the verb, runs it, and turns our own errors into one line."""

import argparse
import importlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from ..spec.errors import TombolaError

__all__ = ["VERBS", "build_parser", "main"]

# In the order of the way from data to board. A verb is a module of this package with
# SUMMARY (a line), add_arguments(parser) and run(args) -> exit status; EXAMPLES is optional.
VERBS = ("demo", "size", "search", "sweep", "sample", "inspect", "eval", "plan", "rtl", "sim",
         "build", "board", "deploy", "infer", "data", "doctor")

DESCRIPTION = """\
Turns a strong lottery ticket (a seed and a mask) into an FPGA engine: searches the ticket,
writes the engine's Verilog, proves that both agree bit for bit, builds the bitstream."""

EPILOG = """\
begin with:
  tombola demo          the whole way on a small ticket
  tombola doctor        what is installed, what is missing and how to mend it
  tombola VERB --help   what a verb does, with examples

exit status: 0 done, 1 a proof or check failed, 2 wrong usage or something to mend"""

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
BROKEN_PIPE = 141  # 128 + SIGPIPE


class _Parser(argparse.ArgumentParser):
    """argparse, but with errors as one line and with the shape of help texts kept."""

    def __init__(self, **options):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        options.setdefault("allow_abbrev", False)
        super().__init__(**options)

    def error(self, message):
        self.exit(2, f"tombola: error: {message}; see {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; those of the process if not given.

    Returns
    -------
    int
        The exit status.
    """
    arguments = build_parser().parse_args(argv)
    try:
        status = arguments.run(arguments)
        sys.stdout.flush()
        return status
    except TombolaError as error:
        sys.stderr.write(f"tombola: error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("tombola: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away, as in `tombola ... | head`. Python would complain once more when
        # it closes stdout, so that goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def build_parser() -> argparse.ArgumentParser:
    """The parser of all verbs that are there."""
    parser = _Parser(prog="tombola", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument(
        "--version", action="version",
        version=f"tombola {importlib.metadata.version('tombola')}",
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True, title="verbs")
    for name in VERBS:
        verb = _module(name)
        if verb is None:
            continue
        examples = getattr(verb, "EXAMPLES", "")
        sub = verbs.add_parser(
            name, help=verb.SUMMARY, description=verb.__doc__,
            epilog=f"examples:\n{examples}" if examples else None,
        )
        verb.add_arguments(sub)
        sub.set_defaults(run=verb.run)
    return parser


def _module(verb: str) -> ModuleType | None:
    name = f"{__package__}.{verb}"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


if __name__ == "__main__":
    sys.exit(main())
