"""Runs a network on a simulated engine and compares each tensor with the numpy reference."""

import numpy as np

from support.benches import simulate
from support.engine_host import EngineHost
from support.tickets import TicketBuilder
from tombola.compiler import compile_ticket
from tombola.spec import reference
from tombola.spec.engine import EngineConfig
from tombola.spec.registers import ADDRESS, ErrorCode
from tombola_hw.engine import Engine


def check_layers(
    builder: TicketBuilder, config: EngineConfig, *, images: int = 1, pipelined: bool = False
) -> None:
    """All layers at once for each image, then layer after layer for the first one."""
    ticket, batch = builder.build(), builder.images(images)
    expected = reference.infer(ticket, batch)
    program = compile_ticket(ticket, config)
    engine = Engine(config, pipelined=pipelined)
    inputs = list(program.image_writes(batch))

    async def bench(ctx):
        host = EngineHost(ctx, engine)
        await host.write_all(program.writes)

        async def tensor(image, layers):
            await host.write_all(inputs[image])
            clocks = await host.run(4 * program.cycles + 2000)
            assert clocks is not None, f"no end of {layers} layers"
            assert ctx.get(engine.error) == ErrorCode.NONE
            ranges = program.tensor_ranges(layers)
            words = np.concatenate([await host.read(*each) for each in ranges])
            found = program.tensor_from_words(layers, words)
            if found.size or layers == program.layer_count:
                np.testing.assert_array_equal(found, expected[layers][image], f"tensor {layers}")

        for image in range(images):
            await tensor(image, program.layer_count)
            winner = await host.read(ADDRESS["winner"], 1)
            assert winner == expected[-1][image].transpose(1, 2, 0).argmax()
        for layers in range(1, program.layer_count):
            await host.write_all(program.stop_after(layers))
            await tensor(0, layers)

    simulate(engine, bench)
