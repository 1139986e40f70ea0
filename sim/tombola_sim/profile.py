"""Where an inference spends its clocks: the engine's counters, layer by layer."""

from collections.abc import Sequence

from tombola.spec.errors import ToolError
from tombola_sim import rtl, runner
from tombola_sim.build import build
from tombola_sim.host import COUNTERS, Host, Program, Writes
from tombola_sim.script import Outcome


def profile(
    program: Program, design: rtl.RtlDirectory, image: Writes, *, layers: Sequence[int] = ()
) -> list[dict[str, int]]:
    """Counters of each layer, or of some: what a run that ends with it has more than one before it.

    Parameters
    ----------
    program : Program
    design : RtlDirectory
    image : list of (address, words)
        Of one image, as `Program.image_writes` gives them.
    layers : sequence of int, optional
        Indices of the layers to look at; all if there are none.

    Returns
    -------
    list of dict
        `tombola_sim.host.COUNTERS` by name, for each layer in turn.

    Raises
    ------
    ToolError
        If a run does not end well.
    """
    host, wanted = Host(program), list(layers) or list(range(program.layer_count))
    counts = sorted({count for layer in wanted for count in (layer, layer + 1)} - {0})
    scripts = [host.infer(image, layers=count) for count in counts]
    session = runner.run(build(design), [host.load(), *scripts])
    upto = {0: dict.fromkeys(COUNTERS, 0)}
    for count, run in zip(counts, session.runs[1:], strict=True):
        if run.outcome is not Outcome.COMPLETE:
            raise ToolError(f"layer {count - 1}: the engine did not finish; run tombola sim")
        upto[count] = host.answer(run.words, layers=count).counters
    return [
        {name: upto[layer + 1][name] - upto[layer][name] for name in COUNTERS} for layer in wanted
    ]
