"""An engine that has its ticket at power-up answers the first START, with no host to load it."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.back import rtlil
from support.benches import simulate
from support.engine_host import CONFIG, EngineHost, small_network

from tombola.compiler import compile_ticket
from tombola.spec import reference
from tombola.spec.errors import ConfigError
from tombola.spec.power_up import PowerUp
from tombola.spec.registers import ADDRESS, START, ErrorCode, Window
from tombola_hw.engine import Engine

CONFIGS = {"plain": CONFIG, "compact": replace(CONFIG, compact=True)}


@pytest.mark.parametrize("kind", CONFIGS)
def test_answers_straight_after_reset(kind):
    network = small_network()
    ticket, images = network.build(), network.images(2)
    program = compile_ticket(ticket, CONFIGS[kind])
    expected = reference.logits(ticket, images)
    engine = Engine(CONFIGS[kind], power_up=program.power_up)

    async def bench(ctx):
        host = EngineHost(ctx, engine)
        digest = await host.read(Window.TICKET.base, program.digest.size)
        np.testing.assert_array_equal(digest, program.digest)
        for image, logits in zip(program.image_writes(images), expected, strict=True):
            await host.write_all(image)
            assert await host.run(4 * program.cycles + 2000) is not None
            assert ctx.get(engine.done) and ctx.get(engine.error) == ErrorCode.NONE
            words = await host.read(*program.result_words)
            np.testing.assert_array_equal(program.logits_from_words(words), logits)
            assert await host.read(ADDRESS["winner"], 1) == logits.argmax()

    simulate(engine, bench)


def test_a_ticket_changes_nothing_but_contents_of_memories():
    program = compile_ticket(small_network().build(), CONFIG)
    without, having = (
        rtlil.convert(Engine(CONFIG, power_up=power_up), emit_src=False).splitlines()
        for power_up in (None, program.power_up)
    )
    assert len(without) == len(having)
    changed = [pair for pair in zip(without, having, strict=True) if pair[0] != pair[1]]
    # The ticket memory and the two halves of the table.
    assert len(changed) == 3
    assert all(line.lstrip().startswith(r"connect \DATA ") for pair in changed for line in pair)


def test_without_a_ticket_there_is_no_run():
    engine = Engine(CONFIG)

    async def bench(ctx):
        host = EngineHost(ctx, engine)
        await host.write(ADDRESS["control"], START)
        await ctx.tick().repeat(50)
        assert not ctx.get(engine.busy) and ctx.get(engine.error) == ErrorCode.OPERATION

    simulate(engine, bench)


def test_contents_larger_than_the_memory():
    engine = Engine(CONFIG, power_up=PowerUp(ticket=[0] * (CONFIG.ticket_words + 1)))
    with pytest.raises(ConfigError, match="^init must be at most 256 words, not 257$"):
        simulate(engine, None)
