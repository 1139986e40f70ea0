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
    builder: TicketBuilder,
    config: EngineConfig,
    *,
    images: int = 1,
    pipelined: bool = False,
    batch: int = 1,
) -> None:
    """All layers at once for each image or batch, then layer after layer for the first one."""
    ticket, bytes = builder.build(), builder.images(images)
    expected = reference.infer(ticket, bytes)
    program = compile_ticket(ticket, config, batch=batch)
    engine = Engine(config, pipelined=pipelined)
    inputs = list(program.image_writes(bytes))

    async def bench(ctx):
        host = EngineHost(ctx, engine)
        await host.write_all(program.writes)

        async def tensor(run, layers):
            await host.write_all(inputs[run])
            clocks = await host.run(4 * program.cycles + 2000)
            assert clocks is not None, f"no end of {layers} layers"
            assert ctx.get(engine.error) == ErrorCode.NONE
            ranges = program.tensor_ranges(layers)
            words = np.concatenate([await host.read(*each) for each in ranges])
            found = program.tensor_from_words(layers, words)
            if found.size or layers == program.layer_count:
                # The images of a batch lie below each other; the last batch may lack some.
                want = np.concatenate(expected[layers][run * batch :][:batch], axis=1)
                found = found[:, : want.shape[1]]
                np.testing.assert_array_equal(found, want, f"tensor {layers}")

        for run in range(len(inputs)):
            await tensor(run, program.layer_count)
            if batch == 1:
                winner = await host.read(ADDRESS["winner"], 1)
                assert winner == expected[-1][run].transpose(1, 2, 0).argmax()
        for layers in range(1, program.layer_count):
            await host.write_all(program.stop_after(layers))
            await tensor(0, layers)

    simulate(engine, bench)
