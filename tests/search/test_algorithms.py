"""Every algorithm: searched, stopped and resumed, exported, and exact in integers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.exact_norms import make_exact

from tombola.cli import search_options
from tombola.model.integer import IntegerModel
from tombola.search.algorithms import ALGORITHMS, with_algorithm
from tombola.search.export import export
from tombola.search.models import build, resnet
from tombola.search.network import convert
from tombola.search.search import search
from tombola.search.settings import CHOICES, SearchSettings
from tombola.search.weight_source import WeightSource
from tombola.spec import reference, ticket_file
from tombola.spec.errors import ConfigError

SHAPE = (3, 8, 8)
MODELS = {
    "pooled": lambda: build("conv2", shape=SHAPE, classes=6, width=1 / 8),
    "residual": lambda: build("resnet8", shape=SHAPE, classes=6, width=1 / 4),
    "folded": lambda: resnet(
        plan="resnet20", shape=SHAPE, classes=6, width=1 / 4, folded=(1, 2, 3)
    ),
}
TO_SEARCH = [name for name in ALGORITHMS if name != "jackpot"]
"""Those of drawn weights; trained ones have tests of their own."""
VARIANTS = {
    **{name: {} for name in ALGORITHMS},
    "narrow": {"activation_bits": 3},
    "bit": {"activation_bits": 1},
    "sign": {"activation": "sign"},
    "dynamic": {"scale": "dynamic", "scope": "network", "sparsity": 0.8},
    "limited": {"limit": "quartic"},
    "coats of groups": {"scope": "group", "group": 4, "coats": 2, "sparsity": 0.25},
    "stored": {"weights": WeightSource.STORED, "stored_bits": 5},
}


def images(count=24):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, *SHAPE), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_logits_of_the_ticket_are_those_of_the_network_exactly(variant, model):
    torch.manual_seed(4)
    settings = SearchSettings(seed=11)
    if variant in ALGORITHMS:
        settings = with_algorithm(settings, variant)
    settings = replace(settings, **VARIANTS[variant])
    net = convert(MODELS[model](), settings, shape=SHAPE)
    net.select(settings.epochs)
    make_exact(net, images())
    ticket = ticket_file.from_bytes(ticket_file.to_bytes(export(net, classes=(), provenance={})))
    logits = IntegerModel(ticket).logits(images())
    np.testing.assert_array_equal(
        reference.logits(ticket, images()[:3].numpy()), logits[:3].numpy()
    )
    read = []
    net.layers[-1].register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].step))
    with torch.no_grad():
        found = net(images()).double()
    # Bare sums: the network's logits are whole multiples of one weight times one step.
    units = found / (net.convs[-1].constant * float(read[0]))
    assert len(logits.unique()) > 5
    assert torch.equal(units.round().long(), logits)
    assert (units - logits).abs().max() < 0.1
    net.check()
    assert 0 < net.convs[0].mask.count_nonzero() < net.convs[0].mask.numel()


@pytest.mark.parametrize("variant", [*TO_SEARCH, "limited", "sign"])
def test_searches_and_resumes_to_the_same_bytes(variant, small, digits, tmp_path):
    train, test = digits
    classes = [str(digit) for digit in range(10)]
    name = variant if variant in ALGORITHMS else "edge-popup"
    settings = replace(with_algorithm(small.settings, name), **VARIANTS[variant])
    chosen = replace(small, settings=settings)

    class Stop:
        def step(self, *, epoch, step, steps):
            if epoch == 2 and step > steps // 2:
                raise KeyboardInterrupt

        def epoch(self, history):
            pass

    def run(out, **options):
        return search(
            chosen, train=train, test=test, classes=classes, out=tmp_path / out, **options
        )

    whole = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("cut", observer=Stop())
    assert run("cut", resume=True).ticket.read_bytes() == whole.ticket.read_bytes()
    assert whole.history[-1].train_accuracy > 0.4
    assert abs(whole.integer_accuracy - whole.float_accuracy) <= 0.01
    said = ticket_file.load(whole.ticket).provenance
    assert said.get("algorithm", "edge-popup") == name


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("authors", [False, True])
def test_hyperparameters_are_settings(name, authors):
    settings = with_algorithm(SearchSettings(seed=9, epochs=3), name, authors=authors)
    assert settings.algorithm == name
    assert settings.seed == 9
    assert (settings.epochs >= 30) is authors


def test_edge_popup_is_what_a_preset_is_without_a_name():
    settings = SearchSettings(epochs=3, learning_rate=0.4)
    assert with_algorithm(settings, "edge-popup") == settings


def test_unknown_algorithm():
    with pytest.raises(ConfigError) as error:
        with_algorithm(SearchSettings(), "sgd")
    assert str(error.value) == f"algorithm 'sgd' is unknown; known: {', '.join(ALGORITHMS)}"


def test_the_command_line_names_what_there_is():
    assert tuple(ALGORITHMS) == search_options.ALGORITHMS
    for name, (choices, _) in search_options.CHOICES.items():
        assert choices == CHOICES[name]


def test_the_page_has_a_row_for_each():
    page = (Path(__file__).parents[2] / "docs" / "search.md").read_text()
    table = page.split("## An algorithm is")[1].split("\n\n")[2]
    rows = [line.split("|")[1:-1] for line in table.splitlines()[2:]]
    assert [row[0].split("`")[1] for row in rows] == list(ALGORITHMS)
    for row in rows:
        settings = with_algorithm(SearchSettings(), row[0].split("`")[1])
        _, ranks, scope, coats, schedule, frozen, scale, norm = (cell.strip() for cell in row)
        assert ranks == {"abs": "abs(s)", "raw": "s"}[settings.ranking]
        assert scope.startswith(settings.scope)
        assert coats == str(settings.coats)
        assert schedule == {"constant": "-"}.get(settings.schedule, settings.schedule)
        assert (frozen == "-") is (settings.prune + settings.lock == 0)
        stored = settings.weights is WeightSource.STORED
        assert scale == ("stored" if stored else settings.scale)
        assert norm == {"folded": "affine where folded"}.get(settings.norm, settings.norm)
