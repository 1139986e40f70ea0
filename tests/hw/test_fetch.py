"""The fetch unit against the plain loops of a convolution or pooling."""

import pytest
from support.benches import coin, simulate
from support.tickets import TicketBuilder, mixed_network

from tombola.compiler import Program, compile_ticket
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Window
from tombola_hw.fetch import Fetch
from tombola_hw.interfaces import part_lanes, step_layout


def expected_steps(program: Program, layer: int) -> list[dict]:
    """Every line of a layer in order; the address only where the window is inside the input."""
    fields = program.descriptors[layer]
    source = program.placements[program.ticket.layers[layer].input]
    convolves = fields["operation"] == Operation.CONVOLVE
    size = program.config.group_size(fields["operation"])
    parts = part_lanes(program.config)
    height, width = fields["out_height"], fields["out_width"]
    steps = []
    for group in range(fields["groups"]):
        for position in range(height * width):
            oy, ox = divmod(position, width)
            for line in range(fields["lines"]):
                place, plane = divmod(line, fields.get("planes", 1))
                kernel_position, word = divmod(place, fields["inner"])
                ky, kx = divmod(kernel_position, fields["kernel_width"])
                y = oy * fields["stride_y"] + fields["first_y"] + ky
                x = ox * fields["stride_x"] + fields["first_x"] + kx
                inside = 0 <= y < fields["in_height"] and 0 <= x < fields["in_width"]
                channel = 0 if convolves else group * size
                pooled, lane = divmod(channel, program.config.lanes)
                at = (y * fields["in_width"] + x) * source.groups + word + pooled
                last = line == fields["lines"] - 1
                ends = position == height * width - 1 and group == fields["groups"] - 1
                steps.append({
                    "address": source.base + at if inside else None,
                    "inside": inside,
                    "first": line == 0,
                    "last": last,
                    "new_group": position == 0,
                    "end": last and ends,
                    "count": min(size, fields["channels"] - group * size) - 1 if last else None,
                    **({"part": lane // parts} if parts < program.config.lanes else {}),
                    **({"more": plane < fields["planes"] - 1} if "planes" in fields else {}),
                })
    return steps


def fetched_steps(program: Program, layer: int, *, weights: float) -> list[dict]:
    """What the component issues while weights are there with the given probability."""
    unit = Fetch(program.config)
    ready = coin(layer, weights)
    steps: list[dict] = []
    clocks_of_last: list[tuple[int, int]] = []

    async def bench(ctx):
        for name, value in program.descriptors[layer].items():
            ctx.set(unit.layer[name], value)
        ctx.set(unit.start, 1)
        await ctx.tick()
        ctx.set(unit.start, 0)
        clock = 0
        while ctx.get(unit.busy) or not steps:
            ctx.set(unit.available, ready())
            address = ctx.get(unit.address)
            rests = program.config.compact and steps and steps[-1]["last"]
            rests = rests and ctx.get(unit.steps.valid)
            await ctx.tick()
            clock += 1
            assert not (rests and ctx.get(unit.steps.valid)), "no rest after a position"
            if not ctx.get(unit.steps.valid):
                continue
            step = {name: ctx.get(unit.steps.payload[name])
                    for name in step_layout(program.config).members}
            if program.descriptors[layer]["operation"] == Operation.CONVOLVE and "part" in step:
                step["part"] = 0  # of poolings
            # Where nothing was read or a position goes on, these two say nothing.
            step["count"] = step["count"] if step["last"] else None
            steps.append({"address": address if step["inside"] else None, **step})
            if step["last"]:
                if clocks_of_last:
                    before, count = clocks_of_last[-1]
                    assert clock - before > count, "positions too close for the output unit"
                clocks_of_last.append((clock, step["count"]))

    simulate(unit, bench)
    return steps


CONFIGS = [
    EngineConfig.for_geometry("3x2", count_bits=8, compact=True),
    EngineConfig.for_geometry("8x8"),
    EngineConfig.for_geometry("3x16"),  # pools a word part by part
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.geometry)
def test_issues_the_lines_of_every_layer_in_order(config):
    program = compile_ticket(mixed_network().build(), config)
    for layer in range(program.layer_count):
        found = fetched_steps(program, layer, weights=0.6)
        assert found == expected_steps(program, layer), f"layer {layer}"


def test_lines_come_once_for_each_plane_of_the_layer():
    """A layer of one plane, of three, and of two."""
    ticket = (
        TicketBuilder((3, 4, 5))
        .conv(5, (2, 3), in_channels=3, window=Window(padding=(1, 0, 0, 1)))
        .conv(4, (1, 2), in_channels=5, coding=Coding(coats=6), window=Window(stride=(1, 2)))
        .max_pool((2, 1), Window())
        .conv(3, (3, 2), in_channels=4, coding=Coding(stored=3), logits=True)
    )
    config = EngineConfig.for_geometry("2x2", planes=3, stored=True)
    program = compile_ticket(ticket.build(), config)
    assert [fields["planes"] for fields in program.descriptors] == [1, 3, 1, 2]
    for layer in range(program.layer_count):
        found = fetched_steps(program, layer, weights=0.6)
        assert found == expected_steps(program, layer), f"layer {layer}"


def test_wrong_config():
    with pytest.raises(TypeError, match=r"^Fetch config must be an EngineConfig, not '8x8'$"):
        Fetch("8x8")
