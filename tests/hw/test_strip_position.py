"""Strips of the input, one a pixel, against the rows of the whole map."""

from itertools import product

import pytest
from support.benches import simulate
from support.tickets import TicketBuilder

from tombola.compiler import compile_ticket, strips
from tombola.spec.engine import EngineConfig
from tombola.spec.ticket import Window
from tombola_hw.fetch import Fetch

CASES = [
    # rows, kernel, stride, padding above and below, pixels
    (7, 3, 1, (1, 1), 2),
    (8, 2, 2, (0, 0), 4),
    (11, 4, 3, (3, 2), 2),
    (5, 5, 1, (4, 4), 8),
    (9, 3, 4, (2, 0), 4),
    (1, 3, 1, (1, 1), 4),
    (6, 1, 1, (0, 0), 2),
]


@pytest.mark.parametrize("parallel", [0, 1], ids=["serial", "parallel"])
@pytest.mark.parametrize(("rows", "kernel", "stride", "padding", "pixels"), CASES)
def test_each_pixel_reads_the_rows_of_its_output(
    monkeypatch, rows, kernel, stride, padding, pixels, parallel
):
    if not parallel:
        monkeypatch.setattr(strips.Walk, "parallel", lambda *_: False)
    window = Window(stride=(stride, 1), padding=(padding[0], 0, padding[1], 0))
    builder = TicketBuilder((3, rows, 2)).conv(5, (kernel, 1), window=window, in_channels=3)
    height = (rows + sum(padding) - kernel) // stride + 1
    builder.conv(2, (height, 2), in_channels=5, logits=True)
    config = EngineConfig.for_geometry(f"2x2x{pixels}", activation_words=128)
    program = compile_ticket(builder.build(), config)
    fields, source = program.descriptors[0], program.placements[0]
    strip, target = (program.plan.buffers[index].rows for index in range(2))
    assert fields["parallel"] == parallel
    unit = Fetch(config)
    found = []

    async def bench(ctx):
        for name, value in fields.items():
            ctx.set(unit.layer[name], value)
        ctx.set(unit.available, 1)
        ctx.set(unit.start, 1)
        await ctx.tick()
        ctx.set(unit.start, 0)
        while ctx.get(unit.busy) or not found:
            address, turn = ctx.get(unit.address), ctx.get(unit.turn)
            await ctx.tick()
            if ctx.get(unit.steps.valid):
                found.append((address, turn, ctx.get(unit.steps.p.inside)))

    simulate(unit, bench)

    pitch = 2 * source.groups
    expected = []
    groups, walked = range(fields["groups"]), range(fields["out_height"])
    lines = product(groups, walked, range(2), range(kernel), range(source.groups))
    for _, out, column, down, word in lines:
        # Pixel p computes output row p * target + out, if it computes any but pixel 0.
        reads = [
            stride * ((pixel * target if fields["parallel"] else 0) + out) - padding[0] + down
            for pixel in range(pixels)
        ]
        expected.append([
            (row // strip % pixels, source.base + row % strip * pitch + column * source.groups
             + word) if 0 <= row < rows else None
            for row in reads
        ])  # fmt: skip
    assert len(found) == len(expected)
    for (address, turn, inside), wanted in zip(found, expected, strict=True):
        active = range(pixels if fields["parallel"] else 1)
        got = [
            ((pixel + turn) % pixels, address) if inside >> pixel & 1 else None for pixel in active
        ]
        assert got == wanted[: len(active)]
