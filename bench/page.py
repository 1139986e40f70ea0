"""Writes docs/benchmarks.md from the records of the suite, the boards and the peers."""

import json
from pathlib import Path
from typing import Any

from tombola.compiler import compile_ticket, estimate
from tombola.spec.engine import EngineConfig
from tombola.suite.networks import NETWORKS
from tombola.suite.recipe import Recipe
from tombola.suite.sample import sample
from tombola_boards.parts import target_of
from tombola_boards.registry import BOARDS

RECORDS = Path(__file__).parents[1] / "docs" / "records"
TARGET = RECORDS.parent / "benchmarks.md"
HEAD = """# Benchmarks

Made by `python bench/page.py` from [records/bench](records/bench); `python bench/suite.py` makes
the records and goes on where it was stopped. Tickets are samples (`tombola sample`): random masks
over the weights of the seed, so all that is said of speed holds for searched tickets, and nothing
is said of accuracy. Each case ran on generated Verilog under Verilator, with random images or those
of a data set, and every logit was compared with the integer model.
"""
RUN = """## Cycles

`R x L x P` are rows, lanes and pixels. *Used* is the part of the masked additions that the array
could have done in these cycles and the network has. *Busy*, *weights* and *output* are the engine's
counters: clocks in which a line entered the array, and in which it waited for weights or for the
output unit; pooling is in none. *Speed* is that of the simulation on a machine with other work, in
clocks a second. *Cells* are estimates for an ECP5 with the memories of this network alone.
"""
SPEED = """## Speed of simulation

A proof as `tombola sim` runs it, with scripts, cocotb and the integer model, beside a C++ loop that
does nothing but move clock and bus of the same Verilated engine. Both ran by turns, with the same
logits:

    {command}

Clocks a second, and in brackets clocks a second of the processor, which are closer to what they are
on an idle machine.

"""
ESTIMATES = """## Estimates

`tombola plan` estimates the clocks of each layer from its descriptor. Beside what was simulated, of
the whole inference and of the layer that is furthest off and takes at least a hundredth of it:
"""
EARLIER = """The same for engines that were measured layer by layer for the estimate's sake,
plain ones and some with several planes, stored weights and residuals
([records/cycles.json](records/cycles.json)):
"""
AREA = """The cells and block RAMs of the boards' own engines, estimated and built. For an ECP5 the
factors come from other engines, which [planned.md](planned.md) lists; for iCE40 and Gowin they were
taken from these builds, so that cells and flip-flops agree is no proof of it. Block RAM is reckoned
from widths and depths alone.
"""
PEERS = """## Beside others

The peers' cycles were measured in simulations of the Verilog that they generate, their cells with
Yosys for an ECP5, where carry cells count twice. Their networks have ternary weights with half of
them zero and activations of 8 bits, as ours have here. NNgen rounds halves away from zero, we up.
Ours of N3 also sums each channel's 256 values. Our cells are estimates unless a build is named.
"""


def main() -> None:
    """Writes the page."""
    cases = [json.loads(path.read_text()) for path in sorted((RECORDS / "bench").glob("*.json"))]
    order = list(NETWORKS)
    cases.sort(key=lambda case: (order.index(case["network"]), case.get("macs", 0), case["name"]))
    ran = [case for case in cases if "refused" not in case]
    refused = [case for case in cases if "refused" in case]
    parts = [HEAD, _networks(ran), RUN, _results(ran)]
    if refused:
        parts += ["Not run, with the compiler's or the engine's own words:\n", _refused(refused)]
    parts += [_speed(), ESTIMATES, _estimates(ran), EARLIER, _earlier(), AREA, _areas()]
    parts += [PEERS, _peers(ran), _tools(ran)]
    TARGET.write_text("\n".join(parts))


def _table(titles: list[str], rows: list[list[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _networks(ran: list[dict[str, Any]]) -> str:
    macs = {case["network"]: f"{case['macs_per_inference']:,}" for case in ran if not _planes(case)}
    rows = [
        [f"`{name}`", network.about, "x".join(map(str, network.shape)), macs.get(name, "")]
        for name, network in NETWORKS.items()
    ]
    return "## Networks\n\n" + _table(["network", "what", "image", "masked additions"], rows)


def _planes(case: dict[str, Any]) -> bool:
    return bool(case["coats"]) or case["weights"] != "stream"


def _weights(case: dict[str, Any]) -> str:
    said = []
    if case["frozen"]:
        said.append(f"{case['frozen']:.0%} frozen")
    if case["coats"]:
        said.append(f"{case['coats']} coats")
    if case["weights"] != "stream":
        said.append(case["weights"].replace("stored:", "stored at ") + " bits")
    if case["batch"] > 1:
        said.append(f"batches of {case['batch']}")
    return ", ".join(said) or "plain"


def _results(ran: list[dict[str, Any]]) -> str:
    rows = []
    for case in ran:
        counters, area = case["counters"], case["estimated_ecp5"]
        values = f"{case['values_compared']:,} values of {case['samples']:,} images"
        if case["dataset"]:
            values += f" of {case['dataset']}"
        rows.append(
            [
                f"`{case['network']}`",
                _weights(case),
                case["geometry"].replace("x", " x "),
                f"{case['macs']:,}",
                f"{case['cycles_per_inference']:,.0f}",
                f"{case['mac_utilisation']:.1%}",
                *(f"{counters[x]:,.0f}" for x in ("busy_cycles", "weight_stalls", "output_stalls")),
                f"{values} equal" if case["exact"] else "**WRONG**",
                f"{case['simulated_cycles_per_second']:,}",
                f"{area['lut4']:,}, {area['block_ram']} RAMs",
            ]
        )
    titles = [
        "network", "weights", "engine", "MACs", "cycles", "used", "busy", "weights", "output",
        "exact", "speed", "cells",
    ]  # fmt: skip
    return _table(titles, rows)


def _speed() -> str:
    run = json.loads((RECORDS / "simulation-speed.json").read_text())
    rows = [
        [
            run["network"], run["geometry"].replace("x", " x "), f"{run['images']:,}",
            *(_rate(turn[name]) for name in ("proof", "bare")),
            f"{turn['proof']['clocks_per_second'] / turn['bare']['clocks_per_second']:.2f} "
            f"({_processor(turn['proof']) / _processor(turn['bare']):.2f})",
        ]
        for turn in run["turns"]
    ]  # fmt: skip
    titles = ["network", "engine", "images", "proof", "bare loop", "ratio"]
    return SPEED.format(command=run["command"]) + _table(titles, rows)


def _processor(measured: dict[str, float]) -> float:
    return measured["clocks_per_processor_second"]


def _rate(measured: dict[str, float]) -> str:
    return f"{measured['clocks_per_second']:,} ({_processor(measured):,})"


def _refused(refused: list[dict[str, Any]]) -> str:
    return _table(["case", "why"], [[f"`{x['name']}`", x["refused"]] for x in refused])


def _off(estimate: float, found: float) -> str:
    return f"{100 * (estimate / found - 1):+.2f} %"


def _estimates(ran: list[dict[str, Any]]) -> str:
    rows = []
    for case in ran:
        estimate, found = case["estimated_cycles"], case["cycles_per_inference"]
        rows.append(
            [
                f"`{case['name']}`", f"{estimate:,.0f}", f"{found:,.0f}",
                _off(estimate, found),
                _worst(case),
            ]
        )  # fmt: skip
    return _table(["case", "estimated", "simulated", "off", "worst layer"], rows)


def _worst(case: dict[str, Any]) -> str:
    layers = [
        (sum(layer["estimate"].values()), layer["measured"]["cycles"], layer)
        for layer in case["layers"]
        if layer["measured"]
        and layer["measured"]["cycles"] * 100 >= case["cycles_per_inference"] * case["batch"]
    ]
    if not layers:
        return "not measured by layer"
    estimate, found, layer = max(layers, key=lambda x: abs(x[0] / x[1] - 1))
    return f"{layer['layer']} {layer['operation']}: {_off(estimate, found)}"


def _earlier() -> str:
    rows = []
    for run in json.loads((RECORDS / "cycles.json").read_text()):
        recipe = Recipe.parse(frozen=run["frozen"], coats=run["coats"], weights=run["weights"])
        config, found = EngineConfig(**run["config"]), sum(run["cycles"])
        program = compile_ticket(sample(run["network"], recipe=recipe), config)
        worst = max(
            (
                (estimate.layer_cycles(fields, config), cycles)
                for fields, cycles in zip(program.descriptors, run["cycles"], strict=True)
                if cycles * 100 >= found
            ),
            key=lambda pair: abs(pair[0] / pair[1] - 1),
        )
        engine = f"{config.geometry.replace('x', ' x ')}, {config.construction} built a clock"
        rows.append(
            [
                f"`{run['network']}`", _weights({**run, "batch": 1}), engine,
                f"{program.cycles:,}", f"{found:,}", _off(program.cycles, found), _off(*worst),
            ]
        )  # fmt: skip
    titles = ["network", "weights", "engine", "estimated", "simulated", "off", "worst layer"]
    return _table(titles, rows)


def _areas() -> str:
    rows = []
    for path in sorted((RECORDS / "boards").glob("*.json")):
        record = json.loads(path.read_text())
        target = target_of(BOARDS[record["board"]])
        estimate = target.model.estimate(EngineConfig(**record["config"])).to_json()
        row = [record["board"], record["geometry"].replace("x", " x ")]
        for name in ("lut4", "ff", "block_ram"):
            off = _off(estimate[name], record[name])
            row.append(f"{estimate[name]:,} for {record[name]:,} ({off})")
        rows.append(row)
    return _table(["board", "engine", "cells", "flip-flops", "block RAM"], rows)


def _peers(ran: list[dict[str, Any]]) -> str:
    peers = json.loads((RECORDS / "peers.json").read_text())
    text = ""
    for name, entry in peers.items():
        rows = [_peer(entry, peer) for peer in entry["peers"]]
        rows += [_ours(case) for case in ran if case["network"] == entry["case"]]
        text += f"**{name}**: {entry['network']}, {entry['macs']:,} masked additions\n\n"
        titles = ["engine", "cycles", "additions a cycle", "cells", "block RAM", "multipliers",
                  "clock, MHz", ""]  # fmt: skip
        text += _table(titles, rows) + "\n"
    return text


def _peer(entry: dict[str, Any], peer: dict[str, Any]) -> list[str]:
    def shown(name: str) -> str:
        return f"{peer[name]:,}" if name in peer else ""

    rate = f"{entry['macs'] / peer['cycles']:,.1f}"
    resources = [shown(name) for name in ("lut4", "block_ram", "dsp", "fmax_mhz")]
    return [peer["name"], shown("cycles"), rate, *resources, peer.get("note", "")]


def _ours(case: dict[str, Any]) -> list[str]:
    area, built = case["estimated_ecp5"], case["built"] or {}
    cycles = case["cycles_per_inference"]
    batch = f", batches of {case['batch']}" if case["batch"] > 1 else ""
    return [
        f"**ours**, {case['geometry'].replace('x', ' x ')}, {case['macs']} MACs{batch}",
        f"{cycles:,.0f}",
        f"{case['macs_per_inference'] / cycles:,.1f}",
        *(f"{built.get(name, area[name]):,}" for name in ("lut4", "block_ram", "dsp")),
        f"{built['fmax_mhz']}" if built else "",
        f"built for {built['board']}" if built else "cells estimated",
    ]


def _tools(ran: list[dict[str, Any]]) -> str:
    if not ran:
        return ""
    used = {
        f"{name} {version} ({'from a Python package' if source == 'wheel' else 'native'})"
        for case in ran
        for name, (version, source) in case["tools"].items()
    }
    return f"Programs found: {', '.join(sorted(used))}.\n"


if __name__ == "__main__":
    main()
