"""Networks that Keras saved: what is read, and one line for every file that cannot be."""

import json
import re

import h5py
import numpy as np
import pytest
from support import keras_forge
from support.keras_forge import CHANNELS, arrays, description, layer

from tombola.data import find, load_network, read_keras
from tombola.spec.errors import DataError


def refusal(path) -> str:
    """The one line with which a file is refused, without its path."""
    with pytest.raises(DataError) as caught:
        read_keras(path)
    message = str(caught.value)
    assert message.isascii() and "\n" not in message and len(message) < 300
    assert str(path) in message
    return message.removeprefix(f"{path}: ").replace(str(path), "FILE")


@pytest.fixture
def forge(tmp_path):
    """Writes a file, as `support.keras_forge.write`."""
    return lambda **options: keras_forge.write(tmp_path / "net.h5", **options)


def test_layers_in_order_and_their_arrays(forge):
    network = read_keras(forge())
    assert (network.name, network.input, network.shape) == ("net.h5", "image", (2, 6, 6))
    assert [(made.name, made.kind, made.inputs, made.shape) for made in network.layers] == [
        ("first", "convolution", ("image",), (4, 6, 6)),
        ("first_norm", "norm", ("first",), (4, 6, 6)),
        ("first_relu", "relu", ("first_norm",), (4, 6, 6)),
        ("second", "convolution", ("first_relu",), (4, 3, 3)),
        ("second_norm", "norm", ("second",), (4, 3, 3)),
        ("shortcut", "convolution", ("first_relu",), (4, 3, 3)),
        ("sum", "add", ("shortcut", "second_norm"), (4, 3, 3)),
        ("last_relu", "relu", ("sum",), (4, 3, 3)),
        ("mean", "average", ("last_relu",), (4, 1, 1)),
        ("flat", "flatten", ("mean",), (4,)),
        ("logits", "linear", ("flat",), (3,)),
    ]
    made = {one.name: one for one in network.layers}
    values = arrays()
    np.testing.assert_array_equal(
        made["second"].arrays["weight"][3, 1], values["second"]["kernel"][:, :, 1, 3]
    )
    np.testing.assert_array_equal(made["logits"].arrays["weight"], values["logits"]["kernel"].T)
    np.testing.assert_array_equal(
        made["first_norm"].arrays["variance"], values["first_norm"]["moving_variance"]
    )


@pytest.mark.parametrize(
    ("size", "stride", "side", "zeros"),
    [(3, 1, 6, (1, 1)), (3, 2, 6, (0, 1)), (3, 2, 7, (1, 1)), (1, 2, 6, (0, 0)), (4, 1, 6, (1, 2)),
     (5, 3, 7, (2, 2)), (5, 3, 8, (1, 2)), (2, 5, 6, (0, 1))],
)  # fmt: skip
def test_same_padding_puts_the_odd_zero_behind(forge, size, stride, side, zeros):
    document = description()
    layer(document, "image")["config"]["batch_input_shape"] = [None, side, side, 2]
    only = layer(document, "first")
    only["config"] |= {"kernel_size": [size, size], "strides": [stride, stride]}
    document["config"] = {
        "layers": document["config"]["layers"][:2], "output_layers": [["first", 0, 0]],
    }  # fmt: skip
    kernel = np.zeros((size, size, 2, CHANNELS), dtype=np.float32)
    values = {"first": {"kernel": kernel, "bias": np.zeros(CHANNELS, dtype=np.float32)}}
    (made,) = read_keras(forge(document=document, values=values)).layers
    assert made.options["padding"] == (zeros[0], zeros[0], zeros[1], zeros[1])
    assert made.shape == (CHANNELS, -(-side // stride), -(-side // stride))


def test_a_dense_layer_reads_channel_row_column(forge):
    document = description()
    mean = layer(document, "mean")
    mean["config"] |= {"pool_size": [2, 2], "strides": [1, 1]}
    values = arrays()
    kernel = np.arange(2 * 2 * CHANNELS * 3, dtype=np.float32).reshape(2, 2, CHANNELS, 3)
    values["logits"]["kernel"] = kernel.reshape(-1, 3)
    made = read_keras(forge(document=document, values=values)).layers[-1]
    np.testing.assert_array_equal(
        made.arrays["weight"].reshape(3, CHANNELS, 2, 2), kernel.transpose(3, 2, 0, 1)
    )


def test_files_that_are_none(tmp_path):
    path = tmp_path / "net.h5"
    assert refusal(path) == "cannot read FILE: No such file or directory"
    path.write_bytes(b"not an h5 file")
    assert refusal(path).startswith("cannot read FILE: ")
    h5py.File(path, "w").close()
    assert refusal(path) == "it has no model_config; save the whole model, not its weights alone"


def test_a_damaged_file(forge):
    path = forge()
    content = path.read_bytes()
    for length in (16, len(content) // 2, len(content) - 300):
        path.write_bytes(content[:length])
        refusal(path)
    draw = np.random.default_rng(1)
    for _ in range(200):
        spoiled = bytearray(content)
        for place in draw.integers(0, len(content), 20):
            spoiled[place] ^= 1 << draw.integers(8)
        path.write_bytes(spoiled)
        try:
            read_keras(path)  # what was spoiled may be a weight, or nothing at all
        except DataError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("first", {"filters": 5}, "kernel of layer first must be (3, 3, 2, 5), not (3, 3, 2, 4)"),
        ("first", {"filters": 0}, "filters of layer first must be 1 to 65536, not 0"),
        ("first", {"filters": "4"}, "filters of layer first must be 1 to 65536, not '4'"),
        ("first", {"groups": 3}, "layer first has 3 groups, which do not divide channels"),
        ("first", {"strides": [1]}, "strides of layer first must be two counts of 1 to 65536, "
         "not [1]"),
        ("first", {"padding": "causal"}, "layer first has padding causal; known: same, valid"),
        ("first", {"dilation_rate": [2, 2]}, "layer first must not be dilated"),
        ("first", {"activation": "tanh"}, "layer first has the activation tanh; known: linear, "
         "relu, and softmax at the end"),
        ("first", {"use_bias": 1}, "use_bias of layer first must be true or false, not 1"),
        ("first", {"data_format": "channels_first"}, "layer first must have its channels last"),
        ("first_norm", {"axis": [1]}, "layer first_norm must normalise channels"),
        ("first_norm", {"epsilon": 10**400}, "epsilon of layer first_norm must be 0 to 1, not "
         "1" + 39 * "0"),
        ("first_relu", {"activation": "softmax"}, "layer first_relu has the activation softmax; "
         "known: linear, relu, and softmax at the end"),
        ("mean", {"padding": "same"}, "layer mean must have its windows within the map"),
        ("mean", {"pool_size": [4, 4]}, "layer mean must have its windows within the map"),
        ("logits", {"units": 4}, "kernel of layer logits must be (4, 4), not (4, 3)"),
        ("image", {"batch_input_shape": [None, None, None, 2]}, "image must take images of a "
         "stated height, width and channels, not [None, None, None, 2]"),
    ],
)  # fmt: skip
def test_a_layer_that_is_described_otherwise(forge, name, changes, message):
    document = description()
    layer(document, name)["config"] |= changes
    assert refusal(forge(document=document)) == message


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("sum", {"class_name": "Lambda"}, "layer sum is Lambda; known: Conv2D, BatchNormalization, "
         "Activation, Add, AveragePooling2D, MaxPooling2D, Flatten, Dense"),
        ("sum", {"inbound_nodes": [[["first", 0, 0, {}], ["second", 0, 0, {}]]]},
         "layer sum must add two tensors of one shape"),
        ("sum", {"inbound_nodes": []}, "layer sum must read one layer, not 0"),
        ("mean", {"inbound_nodes": [[["last_relu", 0, 0, {}]], [["sum", 0, 0, {}]]]},
         "layer mean must run once, on tensors that Keras 2 lists in inbound_nodes"),
        ("mean", {"inbound_nodes": [[["logits", 0, 0, {}]]]},
         "layer mean reads logits, which no earlier layer makes"),
        ("mean", {"inbound_nodes": {"args": []}},
         "layer mean must run once, on tensors that Keras 2 lists in inbound_nodes"),
        ("mean", {"name": "a/../b"},
         "a layer must be named by letters, digits and _, not 'a/../b'"),
        ("mean", {"name": "sum"}, "two of its layers are named sum"),
        ("mean", {"config": None}, "its model_config lists a layer without a config"),
        ("logits", {"inbound_nodes": [[["sum", 0, 0, {}]]]},
         "layer logits must read a flat tensor, not (4, 3, 3)"),
    ],
)  # fmt: skip
def test_a_layer_that_is_wired_otherwise(forge, name, changes, message):
    document = description()
    layer(document, name).update(changes)
    assert refusal(forge(document=document)) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "its model_config is not JSON"),
        ("[" * 100_000, "its model_config is not JSON"),
        ("[]", "it must hold a functional model of Keras 2"),
        (json.dumps({"class_name": "Sequential", "config": {"layers": []}}),
         "it must hold a functional model of Keras 2"),
        (json.dumps({"class_name": "Model", "config": {"layers": []}}),
         "it must take one image, not 0 inputs"),
    ],
)  # fmt: skip
def test_another_description(forge, text, message):
    assert refusal(forge(text=text)) == message


def test_arrays_that_are_missing_or_no_numbers(forge):
    values = arrays()
    del values["second"]["bias"]
    assert refusal(forge(values=values)) == "layer second has no array bias"
    values = arrays()
    del values["second"]
    assert refusal(forge(values=values)) == "layer second has no array kernel"
    values = arrays()
    values["logits"]["kernel"][1, 1] = np.nan
    assert refusal(forge(values=values)) == "kernel of layer logits must hold finite numbers only"
    values = arrays()
    values["first"]["bias"] = values["first"]["bias"].astype(np.float64)
    assert refusal(forge(values=values)) == "bias of layer first must be float32, not float64"
    values = arrays()
    values["first_norm"]["moving_variance"][0] = -1
    assert refusal(forge(values=values)) == "layer first_norm must have variances above 0"


def test_arrays_outside_the_file_are_not_read(forge, tmp_path):
    secret = tmp_path / "secret.h5"
    keras_forge.write(secret)
    path = forge()
    place = "model_weights/first/first/bias:0"
    with h5py.File(path, "a") as file:
        del file[place]
        file[place] = h5py.ExternalLink(secret, place)
    assert refusal(path) == "layer first has no array bias"
    (tmp_path / "raw").write_bytes(bytes(4 * CHANNELS))
    with h5py.File(path, "a") as file:
        del file[place]
        external = [(str(tmp_path / "raw"), 0, 4 * CHANNELS)]
        file.create_dataset(place, (CHANNELS,), np.float32, external=external)
    assert refusal(path) == "bias of layer first must lie in the file as it is"


def test_an_array_that_unpacks_to_more_than_the_file(forge):
    path, wide = forge(), 1 << 16
    document = description()
    layer(document, "first")["config"]["filters"] = wide
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = json.dumps(document)
        del file["model_weights/first/first/kernel:0"]
        file.create_dataset(
            "model_weights/first/first/kernel:0", (3, 3, 2, wide), np.float32, chunks=True,
            compression="gzip",
        )  # fmt: skip
    assert refusal(path) == "kernel of layer first must lie in the file as it is"


def test_the_network_of_mlperf_tiny():
    if find("resnet8") is None:
        pytest.skip("the h5 file of MLPerf Tiny is not on this computer; --data-dir names it")
    network = load_network("resnet8")
    weights = [made.arrays["weight"].size for made in network.layers if "weight" in made.arrays]
    assert (len(weights), sum(weights)) == (10, 77360)
    with pytest.raises(DataError, match=re.escape("digits is no trained network; resnet8 is one")):
        load_network("digits")
