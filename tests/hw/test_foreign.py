"""What is forced upon an engine that it does not fit: refused there too, and never run wrong."""

from dataclasses import fields, replace

import numpy as np
import pytest
from support.benches import simulate
from support.engine_host import CONFIG, EngineHost, small_network
from support.tickets import TicketBuilder

from tombola.compiler import compile_ticket
from tombola.spec import reference
from tombola.spec.engine import FEATURES, EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.registers import ADDRESS, STOP, ErrorCode
from tombola.spec.ticket import Window
from tombola_hw.engine import Engine

SMALL = replace(
    CONFIG, accumulator_bits=17, activation_words=128, table_entries=64,
    result_words=32, count_bits=8,
)  # fmt: skip
OTHER = {
    "rows": 3,
    "lanes": 8,
    "construction": 8,
    "accumulator_bits": 18,
    "weight_lines": 128,
    "activation_words": 256,
    "activation_banks": 2,
    "ticket_words": 512,
    "table_entries": 128,
    "result_words": 64,
    "count_bits": 9,
    "compact": True,
    "short_totals": True,
    **dict.fromkeys(FEATURES, True),
    "pixels": 2,
    "planes": 2,
    "unsigned_sums": True,
}
"""One other value for every parameter that a program depends on."""


def linear(channels: int, classes: int, *, side: int = 1, lock: int = 0) -> TicketBuilder:
    """One layer over the whole map; `lock` counts draw values that lock a weight."""
    return TicketBuilder((channels, side, side)).conv(
        classes, (side, side), in_channels=channels, logits=True, freeze=(0, lock)
    )


def slid(channels: int, classes: int, *, kernel: int) -> TicketBuilder:
    """One convolution with four output positions."""
    side = kernel + 1
    return TicketBuilder((channels, side, side)).conv(
        classes, (kernel, kernel), in_channels=channels, logits=True
    )


TOO_LARGE = {
    "ticket memory": ("ticket_words", linear(64, 30, side=2), ErrorCode.ADDRESS),
    "table": (
        "table_entries",
        TicketBuilder((4, 1, 1)).conv(40, (1, 1), in_channels=4).conv(
            30, (1, 1), in_channels=40, logits=True
        ),
        ErrorCode.ADDRESS,
    ),
    "image": (
        "activation_words",
        TicketBuilder((1, 12, 12)).max_pool((4, 4), Window(stride=(4, 4))).conv(
            1, (3, 3), in_channels=1, logits=True
        ),
        ErrorCode.ADDRESS,
    ),
    "tensors": (
        "activation_words",
        TicketBuilder((1, 6, 6)).conv(12, (2, 2), in_channels=1).conv(
            12, (1, 1), in_channels=12
        ).conv(2, (5, 1), in_channels=12, logits=True),
        ErrorCode.FOREIGN,
    ),
    "results": ("result_words", slid(2, 9, kernel=2), ErrorCode.FOREIGN),
    "sums": ("accumulator_bits", linear(270, 1, lock=255), ErrorCode.FOREIGN),
    "lines": ("weight_lines", slid(9, 1, kernel=5), ErrorCode.FOREIGN),
    "counts": (
        "count_bits",
        TicketBuilder((1, 11, 11)).max_pool((16, 16), Window(padding=(3, 3, 2, 2))).conv(
            1, (1, 1), in_channels=1, logits=True
        ),
        ErrorCode.FOREIGN,
    ),
}  # fmt: skip
"""What exceeds each limit of the small engine: the parameter, a ticket, the engine's answer."""


def test_every_parameter_is_tried():
    cells_alone = {"layer_rams"}
    assert set(OTHER) | cells_alone == {field.name for field in fields(EngineConfig)}


def test_what_is_too_large_is_refused_by_the_compiler():
    for parameter, builder, _ in TOO_LARGE.values():
        ticket = builder.build()
        with pytest.raises(FitError):
            compile_ticket(ticket, SMALL)
        compile_ticket(ticket, replace(SMALL, **{parameter: OTHER[parameter]}))


def on_the_small_engine(bench):
    """Simulates it with all of a bench's programs, and then with one of its own."""
    network = small_network()
    own, engine = compile_ticket(network.build(), SMALL), Engine(SMALL)

    async def whole(ctx):
        host = EngineHost(ctx, engine)

        async def code_of(program, images):
            """Loads, starts and clears; no layer may begin."""
            await host.write_all(program.writes)
            await host.write_all(next(program.image_writes(images)))
            logits = await host.read(*own.result_words)
            assert await host.run(100) is not None
            np.testing.assert_array_equal(await host.read(*own.result_words), logits)
            code = ctx.get(engine.error)
            await host.write(ADDRESS["control"], STOP)
            return code

        await bench(code_of)
        images = network.images(1)
        await host.write_all(own.writes)
        await host.write_all(next(own.image_writes(images)))
        assert await host.run(4 * own.cycles + 2000) is not None
        assert ctx.get(engine.error) == ErrorCode.NONE
        words = await host.read(*own.result_words)
        np.testing.assert_array_equal(
            own.logits_from_words(words), reference.logits(own.ticket, images)[0]
        )

    simulate(engine, whole)


def test_what_is_too_large_is_refused_by_the_engine():
    async def bench(code_of):
        for name, (parameter, builder, code) in TOO_LARGE.items():
            config = replace(SMALL, **{parameter: OTHER[parameter]})
            program = compile_ticket(builder.build(), config)
            assert await code_of(program, builder.images(1)) == code, name

    on_the_small_engine(bench)


def test_what_fits_all_memories_but_is_for_another_engine_is_refused():
    network = small_network()
    ticket, images = network.build(), network.images(1)

    async def bench(code_of):
        for name, value in OTHER.items():
            # Short totals are those of a compact engine's short sums alone.
            short = {"compact": True, "accumulator_bits": 16} if name == "short_totals" else {}
            other = replace(SMALL, **{**short, name: value})
            if name == "pixels":  # whose memories are as large as the engine's one
                other = replace(other, activation_words=SMALL.activation_words // value)
            program = compile_ticket(ticket, other)
            assert await code_of(program, images) == ErrorCode.FOREIGN, name

    on_the_small_engine(bench)
