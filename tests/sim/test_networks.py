"""Random networks on a fixed pool of odd engines: the generated Verilog equals the integer model.

A network that fails is shrunk and kept in `kept/`, with its engine; from then on it is always run.
"""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from support import networks

from tombola.compiler.program import compile_ticket
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.paths import write_atomically
from tombola_hw.generate import write_rtl
from tombola_sim.cosim import cosimulate

IMAGES = 2
KEPT = Path(__file__).parent / "kept"
SIZES = {"weight_lines": 256, "activation_words": 2048, "ticket_words": 4096, "table_entries": 256}
ALL = {"planes": 3, "stored": True, "residual": True, "grouped": True, "packing": True,
       "fused_pooling": True}  # fmt: skip


def engine(geometry: str, **parameters) -> EngineConfig:
    """An engine of the pool, with all features but those that are named."""
    return EngineConfig.for_geometry(geometry, **{**SIZES, **ALL, **parameters})


POOL = [
    engine("1x1", construction=1, accumulator_bits=20),
    engine("3x2", construction=32, weight_lines=512),
    engine("5x4", construction=2, activation_banks=2, residual=False),
    engine("16x1", construction=4, packing=False),
    engine("7x32", construction=16, weight_lines=64),
    engine("2x8", construction=1, planes=1, stored=False),
    engine("33x2", construction=8, fused_pooling=False),
    EngineConfig(
        rows=6, lanes=4, construction=2, accumulator_bits=20, activation_banks=2, count_bits=9,
        layer_rams=3, compact=True, **SIZES,
    ),
]  # fmt: skip
WITH_PIXELS = ("2x4x2", "3x2x8", "4x8x4", "1x1x16")
POOL += [engine(geometry) for geometry in WITH_PIXELS]
FEW = POOL[1], POOL[4], POOL[-2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs a network on an engine, whose Verilog is written once; says whether it was exact."""
    folders = {}

    def exact(config, description):
        ticket = networks.ticket(description)
        try:
            compile_ticket(ticket, config)
        except FitError:
            assume(False)
        if config not in folders:
            folders[config] = tmp_path_factory.mktemp("engine")
            write_rtl(config, folders[config])
        report = cosimulate(ticket, folders[config], networks.images(description, IMAGES))
        assert report.values_compared == IMAGES * description["classes"]
        if not report.exact:
            keep(config, description)
        return report.exact

    return exact


def keep(config: EngineConfig, description: networks.Description) -> None:
    """Leaves a failing case in the tree; the last one that shrinking tries is the smallest."""
    case = {"engine": config.to_json(), "network": description}
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{config.geometry}.json"
    write_atomically(path, f"{json.dumps(case, indent=1)}\n".encode())


def check(run, config: EngineConfig, examples: int, *, fixed: bool) -> None:
    """Draws so many networks for an engine and wants all of them exact."""

    @settings(
        max_examples=examples, deadline=None, derandomize=fixed, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(networks.descriptions(config))
    def holds(description):
        assert run(config, description), f"see {KEPT}"

    holds()


@pytest.mark.parametrize("config", FEW, ids=lambda config: config.geometry)
def test_some_networks_on_some_engines(run, config):
    check(run, config, 7, fixed=True)


@pytest.mark.slow
@pytest.mark.parametrize("config", POOL, ids=lambda config: config.geometry)
def test_many_networks_on_every_engine(run, config):
    check(run, config, 25, fixed=False)


def test_networks_that_once_failed(run):
    for path in sorted(KEPT.glob("*.json")):
        case = json.loads(path.read_text())
        assert run(EngineConfig(**case["engine"]), case["network"]), path


def test_descriptions_tell_whole_networks():
    seen = set()
    config = EngineConfig(planes=3, stored=True, residual=True, grouped=True)

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(networks.descriptions(config))
    def look(description):
        assert networks.ticket(json.loads(json.dumps(description))).seed == description["seed"]
        for layer in description["layers"]:
            seen.update({layer["kind"], *layer})

    look()
    assert seen >= {
        "conv", "max", "average", "rescale", "coats", "stored", "freeze", "groups", "residual",
        "same_mask_as", "signed",
    }  # fmt: skip
