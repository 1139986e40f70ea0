"""Random byte strings at the host link: nothing happens, and the next request is answered."""

import random
import subprocess

import pytest
from support.link_bench import DIVISOR, TIMEOUT, Bench
from support.link_program import build

from tombola.spec.link import Command, Frame

# A background testbench that waits when the simulation ends is closed with a complaint.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def damaged(source: random.Random, sequence: int) -> bytes:
    """Bytes without a sound request: noise, or a request with flipped, doubled or lost bytes."""
    if source.random() < 0.3:
        size = source.randrange(1, 30)
        return bytes(source.choice((0x54, *source.randbytes(4))) for _ in range(size))
    words = tuple(source.getrandbits(32) for _ in range(source.randrange(5)))
    command = source.choice([*Command, source.randrange(256)])
    original = Frame(sequence=sequence, command=command, words=words).to_bytes()
    content = bytearray(original)
    while original in content:
        place = source.randrange(len(content))
        match source.randrange(4):
            case 0:
                content[place] ^= 1 << source.randrange(8)
            case 1:
                content.insert(place, content[place])
            case 2:
                del content[place:]
            case 3:
                del content[place]
    return bytes(content)


@pytest.mark.parametrize("seed", range(2))
def test_in_the_simulator(seed):
    bench = Bench(seed=seed)

    async def scenario(ctx):
        for _ in range(12):
            await bench.send(ctx, damaged(bench.random, bench.sequence + 1))
            await ctx.tick().repeat(TIMEOUT + 10 * DIVISOR)
            assert not bench.received and not bench.accesses
            address = bench.random.randrange(100)
            await bench.ask(ctx, bench.next(Command.READ, address, 2))
            bench.accesses.clear()

    bench.run(scenario)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The link and what fuzzes it, compiled."""
    return build(tmp_path_factory.mktemp("link_fuzz"), "link_fuzz.cpp")


@pytest.mark.parametrize("seed, strings", [
    (0, 5_000), pytest.param(1, 100_000, marks=pytest.mark.slow),
])  # fmt: skip
def test_compiled(program, seed, strings):
    run = subprocess.run([program, str(seed), str(strings)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith(f"{strings} strings, ")
