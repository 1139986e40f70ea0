"""docs/boards.md: its commands parse, its messages exist, its udev rule knows every USB id."""

import re
import shlex
from pathlib import Path

import pytest

from tombola.cli.main import build_parser
from tombola.device.usb import KNOWN

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "boards.md").read_text()
SOURCES = [
    *(ROOT / "sw" / "tombola" / "device").glob("*.py"),
    *(ROOT / "sw" / "tombola" / "cli").glob("*.py"),
    *(ROOT / "sw" / "tombola" / "compiler").glob("*.py"),
    *(ROOT / "boards" / "tombola_boards").glob("*.py"),
]
# Adjacent string literals are one message.
SAID = re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text() for path in SOURCES))

BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.removeprefix("$ ")
    for block in BLOCKS
    for line in block.splitlines()
    if re.match(r"(\$ )?tombola ", line)
]
MESSAGES = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)


def test_the_page_has_commands_and_messages():
    assert len(COMMANDS) > 8 and len(MESSAGES) > 12


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_commands_parse(command):
    build_parser().parse_args(shlex.split(command, comments=True)[1:])


@pytest.mark.parametrize("known", sorted({(each.vendor, each.product) for each in KNOWN}))
def test_the_udev_rule_knows(known):
    vendor, product = known
    rule = f'ATTRS{{idVendor}}=="{vendor:04x}", ATTRS{{idProduct}}=="{product:04x}"'
    assert rule in PAGE


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_exist(message):
    for part in message.split("..."):
        assert part.strip(" ;") in SAID
