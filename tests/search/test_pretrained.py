"""Trained networks from files: what they compute, and one line for every file that is refused."""

import pickle
import re

import numpy as np
import pytest
import torch
from support import keras_forge
from support.exact_norms import make_exact
from torch import nn

from tombola.data import read_keras
from tombola.model.integer import IntegerModel
from tombola.search.activation import RunningQuantiser
from tombola.search.algorithms import with_algorithm
from tombola.search.export import export
from tombola.search.input_code import InputCode
from tombola.search.models import build
from tombola.search.models.wired import Wired
from tombola.search.network import convert
from tombola.search.pretrained import digest, load_state
from tombola.search.settings import SearchSettings
from tombola.spec import reference, ticket_file
from tombola.spec.errors import ConfigError, DataError

SHAPE = (2, keras_forge.SIDE, keras_forge.SIDE)


@pytest.fixture
def network(tmp_path):
    """The forged network, as read."""
    return read_keras(keras_forge.write(tmp_path / "net.h5"))


def images(count=32):
    draw = np.random.default_rng(3)
    return draw.integers(0, 256, (count, *SHAPE), dtype=np.uint8)


def convolved(values, kernel, bias, *, stride):
    """A Keras convolution with "same" padding, (images, rows, columns, channels), by its sums."""
    size, side = kernel.shape[0], -(-values.shape[1] // stride)
    zeros = max((side - 1) * stride + size - values.shape[1], 0)
    edge = (zeros // 2, zeros - zeros // 2)
    values = np.pad(values, ((0, 0), edge, edge, (0, 0)))
    made = np.empty((len(values), side, side, kernel.shape[3]))
    for row in range(side):
        for column in range(side):
            top, left = row * stride, column * stride
            window = values[:, top : top + size, left : left + size]
            made[:, row, column] = np.tensordot(window, kernel, 3) + bias
    return made


def normalised(values, gamma, beta, moving_mean, moving_variance):
    return gamma * (values - moving_mean) / np.sqrt(moving_variance + 0.001) + beta


def by_hand(found):
    """The forged network's logits, without its softmax, in the order of Keras."""
    weights = keras_forge.arrays()
    values = found.transpose(0, 2, 3, 1).astype(np.float64)
    first = convolved(values, **weights["first"], stride=1)
    first = normalised(first, **weights["first_norm"]).clip(0)
    second = normalised(
        convolved(first, **weights["second"], stride=2), **weights["second_norm"]
    )
    last = (second + convolved(first, **weights["shortcut"], stride=2)).clip(0)
    return last.mean((1, 2)) @ weights["logits"]["kernel"] + weights["logits"]["bias"]


def wired(network):
    return Wired(network.layers, image=network.input).eval()


def converted(model, **changes):
    settings = with_algorithm(SearchSettings(seed=2), "jackpot")
    settings = SearchSettings(**{**vars(settings), **changes})
    return convert(model, settings, shape=SHAPE, code=InputCode.plain(SHAPE[0], step=1.0))


def test_it_computes_what_keras_computes(network):
    with torch.no_grad():
        found = wired(network)(torch.from_numpy(images()).float()).double().numpy()
    np.testing.assert_allclose(found, by_hand(images()), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("norm", ["frozen", "refreshed"])
def test_stored_in_8_bits_it_still_does_biases_and_all(network, norm):
    net = converted(wired(network), norm=norm, sparsity=0.0).eval()
    for module in net.modules():
        if isinstance(module, RunningQuantiser):
            module.train()  # steps follow, norms are at rest
    net(torch.from_numpy(images()))
    expected = by_hand(images())
    with torch.no_grad():
        found = net.eval()(torch.from_numpy(images())).numpy()
    spread = expected.std()
    assert np.abs(found - expected).max() < 0.05 * spread
    ticket = export(net, classes=(), provenance={})
    logits = IntegerModel(ticket).logits(images()).double().numpy()
    # The unit of logits is free, so they are compared by the line through both. Where a scale is
    # rounded, a mean may differ by a step, which is 6 % of the spread here.
    line = np.polyfit(logits.ravel(), found.ravel(), 1)
    errors = np.abs(np.polyval(line, logits) - found)
    assert line[0] > 0
    assert errors.max() < 0.1 * spread
    assert np.median(errors) < 0.01 * spread


def test_the_ticket_has_the_zeros_of_keras(network):
    ticket = export(converted(wired(network)), classes=(), provenance={})
    padding = [layer.window.padding for layer in ticket.layers if hasattr(layer, "mask")]
    assert sorted(padding) == [(0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 1, 1), (1, 1, 1, 1)]


@pytest.mark.parametrize("norm", ["frozen", "refreshed"])
@pytest.mark.parametrize("bits", [4, 8])
def test_the_ticket_is_the_network_in_integers_exactly(network, bits, norm):
    layers = [made for made in network.layers if made.name != "logits"]
    model = nn.Sequential(Wired(layers, image="image"), nn.Linear(4, 3, bias=False)).eval()
    net = converted(model, stored_bits=bits, norm=norm, sparsity=0.4)
    make_exact(net, torch.from_numpy(images()))
    ticket = ticket_file.from_bytes(ticket_file.to_bytes(export(net, classes=(), provenance={})))
    logits = IntegerModel(ticket).logits(images())
    np.testing.assert_array_equal(reference.logits(ticket, images()), logits.numpy())
    read = []
    net.layers[-1].register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].step))
    with torch.no_grad():
        units = net(torch.from_numpy(images())).double()
    units /= net.convs[-1].constant * float(read[0])
    assert torch.equal(units.round().long(), logits)
    assert len(logits.unique()) > 5


def test_stored_weights_are_near_the_trained_ones(network):
    model = wired(network)
    trained = model.second[1].weight.detach().permute(0, 2, 3, 1)
    errors = []
    for bits in (2, 4, 8):
        conv = converted(model, stored_bits=bits).convs[1]
        assert conv.units.abs().max() <= (1 << (bits - 1)) - 1
        assert torch.equal(conv.units, conv.units.round())
        errors.append(float((conv.units * conv.constant - trained).abs().max()))
        # The largest weights of a channel may be cut off, the step is never coarser than theirs.
        coarsest = trained.abs().amax((1, 2, 3)) / ((1 << (bits - 1)) - 1)
        assert (conv.constant.flatten() <= coarsest * (1 + 1e-6)).all()
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.01 * float(trained.abs().max())


def test_names_that_a_module_cannot_have(network):
    (first, *_) = network.layers
    for wrong in ("forward", "training"):
        layer = type(first)(name=wrong, kind="relu", inputs=("image",), shape=SHAPE)
        with pytest.raises(ConfigError) as error:
            Wired([layer], image="image")
        assert str(error.value) == f"layer {wrong} of kind relu cannot become a module"


def test_a_state_dict_of_any_model(tmp_path):
    torch.manual_seed(1)
    path = tmp_path / "net.pt"
    trained = build("resnet8", shape=(3, 8, 8), classes=4, width=0.25)
    for nested in (False, True):
        state = trained.state_dict()
        torch.save({"state_dict": state, "epoch": 3} if nested else state, path)
        other = build("resnet8", shape=(3, 8, 8), classes=4, width=0.25)
        assert digest(other) != digest(trained)
        assert digest(load_state(other, path)) == digest(trained)


def refusal(path, model=None) -> str:
    with pytest.raises(DataError) as caught:
        load_state(nn.Linear(2, 3) if model is None else model, path)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 300
    return message.replace(str(path), "FILE")


def test_files_that_are_no_state_dict(tmp_path):
    path = tmp_path / "net.pt"
    assert refusal(path) == "cannot read FILE: No such file or directory"
    unsafe = (
        "FILE is no state dict of PyTorch that is safe to open; write it with "
        "torch.save(model.state_dict(), ...)"
    )
    for content in (b"", b"not a state dict", b"PK\x03\x04", pickle.dumps({"weight": 1})):
        path.write_bytes(content)
        assert refusal(path) in (unsafe, "FILE must hold tensors by name, and nothing else")
    torch.save(nn.Linear(2, 3), path)  # a whole module, which is code
    assert refusal(path) == unsafe
    for wrong in ([1], {"weight": "a"}, {"state_dict": 3}):
        torch.save(wrong, path)
        assert refusal(path) == "FILE must hold tensors by name, and nothing else"


def test_a_state_dict_that_would_run_code_does_not(tmp_path):
    path, mark = tmp_path / "net.pt", tmp_path / "mark"

    class Hostile:
        def __reduce__(self):
            return mark.write_text, ("it ran",)

    torch.save({"weight": Hostile()}, path)
    assert refusal(path).startswith("FILE is no state dict of PyTorch that is safe to open")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": torch.zeros(3, 3)}, "FILE has weight of (3, 3), where this network has (3, 2)"),
        ({"bias": None}, "FILE has no tensor bias, so it is not of this network"),
        ({"more": torch.zeros(1)}, "FILE has the tensor 'more', which this network has not"),
        ({"bias": torch.tensor([0.0, 1.0, torch.nan])},
         "FILE has numbers in bias that are not finite"),
    ],
)  # fmt: skip
def test_a_state_dict_of_another_model(tmp_path, changes, message):
    state = {**nn.Linear(2, 3).state_dict(), **changes}
    torch.save({name: value for name, value in state.items() if value is not None},
               tmp_path / "net.pt")  # fmt: skip
    assert refusal(tmp_path / "net.pt") == message


def test_zeros_around_a_map_are_for_convolutions_alone():
    model = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(7), nn.Flatten())
    message = "1 cannot be searched: a map between zeros may only be read by a convolution"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        convert(model, SearchSettings(), shape=SHAPE)
    model = nn.Sequential(nn.ZeroPad2d((0, 3, 0, 1)), nn.Conv2d(2, 2, 3, bias=False))
    message = "1 cannot be searched: padding (0, 0, 1, 3) must be smaller than the kernel (3, 3)"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        convert(model, SearchSettings(), shape=SHAPE)
