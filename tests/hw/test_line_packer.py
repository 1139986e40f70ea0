"""The line packer against reshaped rows, and the stream registers against the identity."""

import random

import pytest
from amaranth import Value
from support.benches import coin, simulate

from tombola.spec.engine import EngineConfig
from tombola_hw.interfaces import line_layout
from tombola_hw.line_packer import LineCutter, LinePacker, step_codes_layout
from tombola_hw.stream_register import StreamBuffer, StreamRegister


@pytest.mark.parametrize("core", [LinePacker, LineCutter])
def test_wrong_init(core):
    with pytest.raises(TypeError) as error:
        core("8x8")
    assert str(error.value) == f"{core.__name__} config must be an EngineConfig, not '8x8'"


def test_stream_register_wrong_init():
    with pytest.raises(TypeError) as error:
        StreamRegister(8, registered=1)
    assert str(error.value) == "StreamRegister registered must be a bool, not 1"


async def send(ctx, port, payloads, flip):
    for payload in payloads:
        while not flip():
            await ctx.tick()
        ctx.set(port.payload, payload)
        ctx.set(port.valid, 1)
        await ctx.tick().until(port.ready)
        ctx.set(port.valid, 0)


async def receive(ctx, port, count, flip):
    """Payloads, checked to stand still while they are not taken."""
    out, waiting = [], None
    while len(out) < count:
        ready = flip()
        ctx.set(port.ready, ready)
        _, _, valid, payload = await ctx.tick().sample(port.valid, Value.cast(port.payload))
        assert waiting is None or (valid and payload == waiting)
        waiting = payload if valid and not ready else None
        if valid and ready:
            out.append(payload)
    await ctx.tick()  # the sender sees that its last item was taken
    return out


@pytest.mark.parametrize("construction", [1, 4, 8, 32])
@pytest.mark.parametrize("lanes", [1, 4, 16])
@pytest.mark.parametrize("give, take", [(1.0, 1.0), (0.6, 0.5)])
def test_lines_of_every_size(construction, lanes, give, take):
    for log in range(lanes.bit_length()):
        pack_lines(construction, lanes, log, give, take)


def pack_lines(construction, lanes, log, give, take):
    config = EngineConfig(rows=3, lanes=lanes, construction=construction)
    dut = LinePacker(config)
    source = random.Random(log)
    steps, expected = [], []
    for row in range(3):
        lines = []
        positions = []  # (kept, flag) each
        for start in range(0, 64, 1 << log):
            # Padding ends a line, or is all of it; each turn has one real line at least.
            real = source.randint(0, 1 << log) if start else 1 << log
            codes = [(source.getrandbits(1), source.getrandbits(1)) for _ in range(real)]
            codes = [(kept, flag if kept else 1) for kept, flag in codes]
            positions += codes + [(0, 0)] * ((1 << log) - real)
            if real:
                lines.append({
                    "positive": sum((k & ~f & 1) << i for i, (k, f) in enumerate(codes)),
                    "negative": sum((k & f) << i for i, (k, f) in enumerate(codes)),
                    "row": row,
                    "chunk_end": 0,
                    "last_row": int(row == 2),
                })
        lines[-1]["chunk_end"] = 1
        expected += [line_layout(config).const(line).as_value().value for line in lines]
        for start in range(0, 64, construction):
            part = positions[start : start + construction]
            steps.append(step_codes_layout(config).const({
                "kept": sum(kept << i for i, (kept, _) in enumerate(part)),
                "flag": sum(flag << i for i, (_, flag) in enumerate(part)),
                "last": int(start + construction == 64),
                "row": row,
                "last_row": int(row == 2),
            }))

    async def bench(ctx):
        assert await receive(ctx, dut.lines, len(expected), coin(3, take)) == expected
        assert not ctx.get(dut.pending)

    async def feed(ctx):
        ctx.set(dut.line_positions, log)
        await ctx.tick().repeat(2)
        await send(ctx, dut.steps, steps, coin(4, give))

    simulate(dut, bench, feed)


@pytest.mark.parametrize("make", [
    lambda: StreamRegister(8, registered=True),
    lambda: StreamBuffer(8),
])
@pytest.mark.parametrize("give, take", [(1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.6, 0.6)])
def test_streams_pass_unchanged(make, give, take):
    dut = make()
    items = list(range(1, 100))
    clocks = 0

    async def bench(ctx):
        assert await receive(ctx, dut.delayed, len(items), coin(6, take)) == items

    async def feed(ctx):
        await send(ctx, dut.items, items, coin(5, give))

    async def clock(ctx):
        nonlocal clocks
        while True:
            await ctx.tick()
            clocks += 1

    simulate(dut, bench, feed, clock)
    if give == take == 1.0:
        assert clocks <= len(items) + 2
