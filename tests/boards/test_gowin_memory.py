"""Memories as Gowin's block RAM: every word, every byte, in the clock in which the RTL has it."""

import random

import pytest
from support.netlist import Netlist

from tombola.spec.engine import EngineConfig
from tombola_hw.memory import ActivationMemory
from tombola_hw.word_memory import WordMemory


@pytest.mark.parametrize("width, depth", [
    (32, 512),   # a requantisation table, 36 bits wide
    (32, 2048),  # ticket words, several blocks one above the other
    (16, 1024),  # a row of 8 lanes, 18 bits wide
    (8, 2048),   # 9 bits wide
    (4, 4096),   # 4 bits wide
])
def test_words(width, depth, tmp_path):
    source = random.Random(width * depth)
    stored = [source.getrandbits(width) for _ in range(depth)]
    netlist = Netlist(tmp_path, WordMemory(width, depth=depth, init=stored))
    for _ in range(4000):
        read, write = source.randrange(depth), source.randrange(depth)
        value, enable = source.getrandbits(width), source.randrange(2)
        if enable and write == read:
            read = (read + 1) % depth
        netlist.clock(read_address=read, write_address=write, write_data=value, write=enable)
        assert netlist.get("read_data") == stored[read]
        if enable:
            stored[write] = value


def test_reading_what_is_written_gives_rubbish_in_the_model(tmp_path):
    """So that a unit that relied on it would not pass the tests of whole netlists."""
    netlist = Netlist(tmp_path, WordMemory(16, depth=64, init=range(64)))
    netlist.clock(read_address=5, write_address=5, write_data=0xDEAD, write=1)
    assert netlist.get("read_data") not in (5, 0xDEAD)
    netlist.clock(read_address=5, write_address=6, write_data=0, write=0)
    assert netlist.get("read_data") == 0xDEAD


@pytest.mark.parametrize("lanes, words", [(8, 2048), (4, 512)])
def test_bytes_of_activations(lanes, words, tmp_path):
    config = EngineConfig(lanes=lanes, activation_words=words)
    memory = ActivationMemory(config)
    write = memory.write
    ports = [memory.read_address, memory.read_data.as_value(), write.valid, write.p.as_value()]
    netlist = Netlist(tmp_path, memory, ports=ports)
    source = random.Random(lanes)
    stored = [0] * words
    for _ in range(4000):
        read, write = source.randrange(words), source.randrange(words)
        apart = source.randrange(2)
        address = write if apart else read
        enabled, value = source.getrandbits(lanes), source.getrandbits(8 * lanes)
        valid = source.randrange(2) and (address != read or not enabled)
        payload = apart | address << 1 | enabled << 1 + _bits(words)
        payload |= value << 1 + _bits(words) + lanes
        netlist.clock(read_address=read, write__valid=valid, write__payload=payload)
        assert netlist.get("read_data") == stored[read]
        if valid:
            for lane in range(lanes):
                if enabled >> lane & 1:
                    byte = 0xFF << 8 * lane
                    stored[address] = stored[address] & ~byte | value & byte


def _bits(words: int) -> int:
    return (words - 1).bit_length()
