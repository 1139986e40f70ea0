"""A board with the small engine of `fake_device`, and `tombola deploy` for it."""

from dataclasses import replace

from support.fake_device import CONFIG
from tombola.cli.main import main
from tombola_boards.registry import BOARDS

SMALL = replace(BOARDS["ulx3s-25f"], name="small", config=CONFIG, remark="press the button")
ADDRESS = "serial:/dev/null"


def deploy(ticket_path, *arguments, board="small", device=ADDRESS):
    """Exit status of the verb."""
    where = [] if device is None else ["--device", device]
    return main(["deploy", str(ticket_path), "--board", board, *where, *arguments])
