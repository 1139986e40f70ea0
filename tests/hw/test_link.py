"""The host link against `tombola.spec.link`: answers, order and refusals."""

import itertools

import pytest
from support.link_bench import DIVISOR, TIMEOUT, Bench

from tombola.spec.errors import ConfigError
from tombola.spec.link import ANSWER, MAX_WORDS, Command, Frame, busy_bytes
from tombola_hw.link import HostLink

# A background testbench that waits when the simulation ends is closed with a complaint.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize("stalls", [False, True])
@pytest.mark.parametrize("count", [1, 2, 61])
def test_writes_then_reads_and_checks(count, stalls):
    bench = Bench(seed=count, stalls=stalls)

    async def scenario(ctx):
        words = tuple(bench.random.getrandbits(32) for _ in range(count))
        await bench.ask(ctx, bench.next(Command.WRITE, 0x10FFFF, *words))
        answer = await bench.ask(ctx, bench.next(Command.READ, 0x10FFFF, count))
        assert answer.words == words
        answer = await bench.ask(ctx, bench.next(Command.CHECK, 0x10FFFF, count))
        assert answer.words == words

    bench.run(scenario)


@pytest.mark.parametrize("command", [Command.READ, Command.CHECK])
def test_reads_as_many_words_as_a_frame_holds(command):
    bench = Bench(seed=2)
    bench.preset({address: address * 0x01010101 for address in range(MAX_WORDS)})

    async def scenario(ctx):
        answer = await bench.ask(ctx, bench.next(command, 0, MAX_WORDS))
        assert answer.words == tuple(bench.memory[address] for address in range(MAX_WORDS))

    bench.run(scenario)


@pytest.mark.parametrize("words", [(1, 0), (1, 64), (1, 3 << 30 | 2), (1, 2, 3)])
def test_what_a_read_ignores(words):
    bench = Bench(seed=9)
    bench.preset({address: address for address in range(MAX_WORDS)})

    async def scenario(ctx):
        answer = await bench.ask(ctx, bench.next(Command.READ, *words))
        assert len(answer.words) == words[1] % 64

    bench.run(scenario)


def test_two_requests_may_be_under_way():
    bench = Bench(seed=3)

    async def scenario(ctx):
        frames = [bench.next(Command.WRITE, 5, 6, 7), bench.next(Command.READ, 5, 2)]
        await bench.send(ctx, b"".join(frame.to_bytes() for frame in frames))
        assert [(await bench.check(ctx, frame)).words for frame in frames] == [(6, 7), (6, 7)]

    bench.run(scenario)


@pytest.mark.parametrize("sizes", [(1, 5, 2, 10, 1, 1), (61, 9, 1), (1, 61, 60, 20, 5, 1)])
def test_requests_may_come_without_a_pause(sizes):
    bench = Bench(seed=3, stalls=False)

    async def scenario(ctx):
        frames = [bench.next(Command.WRITE, 64 * size, *range(size)) for size in sizes]
        for frame, following in itertools.pairwise(frames):
            assert busy_bytes(frame) <= len(following.to_bytes())
        await bench.send(ctx, b"".join(frame.to_bytes() for frame in frames))
        for frame in frames:
            await bench.check(ctx, frame)

    bench.run(scenario)


def test_a_write_that_comes_again_is_answered_and_not_done():
    bench = Bench(seed=255)

    async def scenario(ctx):
        first = bench.next(Command.WRITE, 5, 6)
        second = bench.next(Command.WRITE, 5, 7)
        await bench.ask(ctx, first)
        await bench.ask(ctx, second)
        bench.accesses.clear()
        for frame in (second, first, second):
            await bench.ask(ctx, frame)
        assert not bench.accesses
        assert bench.memory[5] == 7

    bench.run(scenario)


@pytest.mark.parametrize("command", [Command.READ, Command.WAIT, Command.CHECK])
def test_a_read_that_comes_again_is_done_again(command):
    bench = Bench(seed=4)

    async def scenario(ctx):
        read = bench.next(command, 6, 1)
        await bench.ask(ctx, read)
        await bench.ask(ctx, bench.next(Command.WRITE, 6, 8))
        assert (await bench.ask(ctx, read)).words == (8,)
        # It does not turn back the numbering.
        await bench.ask(ctx, bench.next(Command.WRITE, 6, 10))
        assert bench.memory[6] == 10

    bench.run(scenario)


@pytest.mark.parametrize("ahead", [2, 3, 15, 16])
def test_a_request_after_a_lost_one_is_refused(ahead):
    bench = Bench(seed=200)

    async def scenario(ctx):
        lost = bench.next(Command.WRITE, 1, 1)
        number = (lost.sequence + ahead - 1) % 256
        late = Frame(sequence=number, command=Command.WRITE, words=(1, 2))
        assert (await bench.ask(ctx, late)).command == Command.NAK
        assert not bench.accesses
        assert (await bench.ask(ctx, lost)).command == ANSWER | Command.WRITE

    bench.run(scenario)


def test_a_reset_counts_from_anywhere_and_is_done_each_time():
    bench = Bench(seed=5)

    async def scenario(ctx):
        for sequence in (77, 77, 12, 200):
            reset = Frame(sequence=sequence, command=Command.RESET, words=(9, 6))
            bench.accesses.clear()
            await bench.ask(ctx, reset)
            assert bench.accesses == [("write", 9)]
        bench.sequence = 200
        await bench.ask(ctx, bench.next(Command.WRITE, 1, 2))
        assert bench.memory[1] == 2

    bench.run(scenario)


def test_nothing_is_taken_before_the_first_reset():
    bench = Bench(seed=6)

    async def scenario(ctx):
        for sequence in (0, 1, 255, 128):
            frame = Frame(sequence=sequence, command=Command.WRITE, words=(1, 2))
            assert (await bench.ask(ctx, frame)).command == Command.NAK
        assert not bench.accesses
        await bench.check_alive(ctx)

    bench.run(scenario, reset=False)


def test_wait_answers_when_bit_0_is_gone():
    bench = Bench(seed=7)
    bench.preset({10: 3, 11: 5})

    async def scenario(ctx):
        wait, read = bench.next(Command.WAIT, 10, 2), bench.next(Command.READ, 11, 1)
        await bench.send(ctx, wait.to_bytes() + read.to_bytes())
        assert await bench.answer(ctx) is None
        bench.preset({10: 2})
        assert (await bench.check(ctx, wait)).words == (2, 5)
        await bench.check(ctx, read)

    bench.run(scenario)


def test_a_reset_ends_a_wait_even_with_a_request_behind_it():
    bench = Bench(seed=8)
    bench.preset({10: 1})

    async def scenario(ctx):
        for _ in range(3):
            behind = [bench.next(Command.WAIT, 10, 1), bench.next(Command.WRITE, 11, 7)]
            await bench.send(ctx, b"".join(frame.to_bytes() for frame in behind))
            assert await bench.answer(ctx) is None
            await bench.ask(ctx, bench.next(Command.RESET, 9, 6))
            assert 11 not in bench.memory
        await bench.check_alive(ctx)

    bench.run(scenario)


@pytest.mark.parametrize("command, words", [
    (0, (1, 2)), (4, (1, 2)), (7, (1, 2)), (9, (1, 2)), (0x7F, ()), (0x81, ()), (0x82, (1, 2)),
    (255, (1, 2)),
    (Command.WRITE, ()), (Command.WRITE, (1,)), (Command.RESET, ()), (Command.RESET, (1,)),
    (Command.READ, ()), (Command.READ, (1,)), (Command.WAIT, (1,)), (Command.CHECK, ()),
])  # fmt: skip
def test_refuses_without_touching_the_bus(command, words):
    bench = Bench(seed=4)

    async def scenario(ctx):
        answer = await bench.ask(ctx, bench.next(command, *words))
        assert answer.command == Command.NAK
        assert not bench.accesses
        await bench.check_alive(ctx)

    bench.run(scenario)


def test_a_slow_host_is_waited_for():
    bench = Bench(seed=6)

    async def scenario(ctx):
        frame = bench.next(Command.READ, 2, 1)
        for byte in frame.to_bytes():
            await bench.send(ctx, bytes([byte]))
            await ctx.tick().repeat(TIMEOUT - 12 * DIVISOR)
        await bench.check(ctx, frame)

    bench.run(scenario)


def test_parameters():
    with pytest.raises(TypeError, match=r"^divisor must be an int, not 8\.0$"):
        HostLink(divisor=8.0, timeout=100)
    with pytest.raises(ConfigError, match=r"^divisor must be at least 8 clocks a bit, not 7$"):
        HostLink(divisor=7, timeout=100)
    with pytest.raises(ConfigError, match=r"^timeout must be at least 64 clocks, not 63$"):
        HostLink(divisor=8, timeout=63)
