"""The host link under damaged input: nothing is done, and the next sound request is answered."""

import pytest
from support.link_bench import DIVISOR, TIMEOUT, Bench

from tombola.spec.link import Command

# A background testbench that waits when the simulation ends is closed with a complaint.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize("seed", range(4))
def test_says_nothing_to_a_flipped_bit(seed):
    bench = Bench(seed=seed)

    async def scenario(ctx):
        frame = bench.next(Command.WRITE, 9, *(bench.random.getrandbits(32) for _ in range(3)))
        content = bytearray(frame.to_bytes())
        # The count is left alone here: a wrong one makes the frame longer, which is the next test.
        place = bench.random.choice([n for n in range(len(content)) if n != 3])
        content[place] ^= 1 << bench.random.randrange(8)
        await bench.send(ctx, bytes(content))
        assert await bench.answer(ctx) is None
        assert not bench.accesses
        await bench.ask(ctx, frame)

    bench.run(scenario)


@pytest.mark.parametrize("count", [0, 3, 6, 62, 63, 255])
def test_recovers_from_a_wrong_count(count):
    bench = Bench(seed=count)

    async def scenario(ctx):
        frame = bench.next(Command.WRITE, 1, 2, 3, 4)
        content = bytearray(frame.to_bytes())
        content[3] = count
        await bench.send(ctx, bytes(content))
        assert await bench.answer(ctx) is None
        assert not bench.accesses
        await bench.ask(ctx, frame)

    bench.run(scenario)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 15])
def test_recovers_from_a_host_that_vanished(length):
    bench = Bench(seed=length)

    async def scenario(ctx):
        frame = bench.next(Command.WRITE, 1, 2)
        await bench.send(ctx, frame.to_bytes()[:length])
        await ctx.tick().repeat(TIMEOUT + 10 * DIVISOR)
        await bench.ask(ctx, frame)

    bench.run(scenario)


@pytest.mark.parametrize("words", [62, 63])
def test_the_longest_request_fits_and_a_longer_one_is_dropped(words):
    bench = Bench(seed=words)

    async def scenario(ctx):
        frame = bench.next(Command.WRITE, 1, *range(words - 1))
        if words == 62:
            await bench.ask(ctx, frame)
            return
        await bench.send(ctx, frame.to_bytes())
        assert await bench.answer(ctx) is None
        assert not bench.accesses
        await bench.check_alive(ctx)

    bench.run(scenario)


def test_garbage_without_a_sync_byte_does_no_harm():
    bench = Bench(seed=5)

    async def scenario(ctx):
        others = [byte for byte in range(256) if byte != 0x54]
        garbage = bytes(bench.random.choice(others) for _ in range(40))
        await bench.send(ctx, garbage)
        await bench.check_alive(ctx)

    bench.run(scenario)


def test_a_break_on_the_line_is_no_byte():
    bench = Bench(seed=7)

    async def scenario(ctx):
        ctx.set(bench.link.rx, 0)
        await ctx.tick().repeat(200 * DIVISOR)
        ctx.set(bench.link.rx, 1)
        await ctx.tick().repeat(20 * DIVISOR)
        await bench.check_alive(ctx)

    bench.run(scenario)
