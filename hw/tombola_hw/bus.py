"""The host bus: requests to registers and memory windows, and the answers to reads."""

from amaranth import unsigned
from amaranth.lib import data

from tombola.spec.registers import ADDRESS_BITS, DATA_BITS


def request_layout() -> data.StructLayout:
    """One access to the address map of `tombola.spec.registers`.

    A request with `write` set stores `data` and has no answer. A read ignores `data` and has
    exactly one answer, `response_shape()` wide; answers come in the order of their requests.
    """
    return data.StructLayout({
        "address": unsigned(ADDRESS_BITS),
        "data": unsigned(DATA_BITS),
        "write": unsigned(1),
    })


def response_shape():
    """What a read answers: the word at its address."""
    return unsigned(DATA_BITS)
