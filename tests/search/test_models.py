"""Ready-made networks: weights as the literature counts them, traceable, folded as they say."""

import pytest
import torch
from torch import fx, nn

from tombola.search.models import MODELS, build, conv_net, mlp, resnet
from tombola.spec.errors import ConfigError

CIFAR = (3, 32, 32)


def weights(model: nn.Module) -> int:
    """Weights of convolutions and linear layers, each once."""
    layers = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert all(layer.bias is None for layer in layers)
    return sum(layer.weight.numel() for layer in layers)


def meta(name: str, *, shape=CIFAR, classes=10, **options) -> nn.Module:
    """Without memory for its weights."""
    with torch.device("meta"):
        return build(name, shape=shape, classes=classes, **options)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("conv2", 4_300_992),
        ("conv4", 2_425_024),
        ("conv6", 2_261_184),
        ("conv8", 5_275_840),
        ("resnet20", 268_336),
        ("resnet18", 11_164_352),
    ],
)
def test_weights_of_the_literature(name, count):
    assert weights(meta(name)) == count


def test_resnet8_is_that_of_mlperf_tiny():
    """Its 78,666 parameters: weights, 336 biases, four numbers a norm channel, 10 logit biases."""
    model = meta("resnet8")
    convs = [x for x in model.modules() if isinstance(x, nn.Conv2d)]
    biases = sum(x.out_channels for x in convs)
    # The reference has norms after the convolutions of the main path only.
    norms = sum(x.out_channels for x in convs if x.kernel_size == (3, 3))
    assert weights(model) + biases + 4 * norms + 10 == 78_666


def test_imagenet_resnets_have_the_published_parameters():
    """Of torchvision's documentation: weights, two numbers a norm channel, 1,000 logit biases."""
    published = {
        "resnet18": 11_689_512,
        "resnet34": 21_797_672,
        "resnet50": 25_557_032,
        "resnet101": 44_549_160,
        "resnet152": 60_192_808,
    }
    for name, parameters in published.items():
        model = meta(name, shape=(3, 224, 224), classes=1000, stem="imagenet")
        assert sum(x.numel() for x in model.parameters()) + 1000 == parameters


@pytest.mark.parametrize("name", MODELS)
def test_traces_and_runs(name):
    width = {} if name == "mlp" else {"width": 1 / 16}
    model = build(name, shape=CIFAR, classes=7, **width).eval()
    traced = fx.symbolic_trace(model)
    images = torch.rand(2, *CIFAR)
    with torch.no_grad():
        assert traced(images).shape == (2, 7)
        torch.testing.assert_close(traced(images), model(images))


@pytest.mark.parametrize("name", ["mlp", "conv2", "conv4", "conv6", "conv8", "resnet8", "resnet18"])
def test_grey_images_of_28_pixels(name):
    width = {} if name == "mlp" else {"width": 1 / 16}
    model = build(name, shape=(1, 28, 28), classes=10, **width).eval()
    assert model(torch.rand(1, 1, 28, 28)).shape == (1, 10)


def test_imagenet_stem_runs():
    model = resnet(plan="resnet18", shape=(3, 64, 64), stem="imagenet", width=1 / 16).eval()
    assert model(torch.rand(1, 3, 64, 64)).shape == (1, 10)


def test_a_folded_stage_is_one_block_called_again():
    plain, folded = meta("resnet50"), meta("resnet50-folded")
    calls = [node.target for node in fx.symbolic_trace(folded).graph.nodes]
    convs = {name for name, x in folded.named_modules() if isinstance(x, nn.Conv2d)}
    uses = {name: calls.count(name) for name in convs}
    # Stages 3 and 4 have 6 and 3 blocks: one of its own, the other called 5 and 2 times.
    assert sorted(uses.values()) == sorted([1] * (len(convs) - 6) + [5] * 3 + [2] * 3)
    norms = [name for name, x in folded.named_modules() if isinstance(x, nn.BatchNorm2d)]
    assert all(calls.count(name) == 1 for name in norms)
    assert len(norms) == sum(isinstance(x, nn.BatchNorm2d) for x in plain.modules())
    assert sum(uses.values()) == sum(isinstance(x, nn.Conv2d) for x in plain.modules())


def test_folding_iterates():
    """Two iterations of a block are the block applied twice, once its norms are the same."""
    torch.manual_seed(0)
    model = resnet(plan="resnet34", folded=(4,), width=1 / 32).eval()
    block = model[6][1]
    inputs = torch.rand(2, 16, 4, 4)
    with torch.no_grad():
        once = torch.relu(
            block.norms[0][1](
                block.convolutions[1](
                    torch.relu(block.norms[0][0](block.convolutions[0](inputs)))
                )
            )
            + inputs
        )
        other = torch.relu(
            block.norms[1][1](
                block.convolutions[1](torch.relu(block.norms[1][0](block.convolutions[0](once))))
            )
            + once
        )
        torch.testing.assert_close(block(inputs), other)


def test_width_scales_channels():
    assert weights(conv_net(convolutions=2, width=0.5, batch_norm=False)) == (
        27 * 32 + 9 * 32 * 32 + 16 * 16 * 32 * 128 + 128 * 128 + 1280
    )
    assert [x.out_features for x in mlp(width=2) if isinstance(x, nn.Linear)] == [512, 512, 10]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: build("conv8", shape=(1, 8, 8), classes=10),
            "conv8 halves an image 4 times, so it must be at least 16 pixels wide and high, "
            "not 8x8",
        ),
        (lambda: conv_net(convolutions=3), "convolutions must be 2, 4, 6 or 8, not 3"),
        (lambda: mlp(classes=0), "classes must be at least 1, not 0"),
        (lambda: mlp(hidden=(0,)), "a layer must have at least 1 channel, not 0"),
        (
            lambda: mlp(shape=(1, 0, 4)),
            "shape must be channels, height and width of at least 1, not (1, 0, 4)",
        ),
        (lambda: mlp(width=0), "width must be above 0 and finite, not 0"),
        (lambda: resnet(plan="resnet18", stem="x"), "stem must be cifar or imagenet, not 'x'"),
        (
            lambda: resnet(plan="resnet8", folded=(1,)),
            "stage 1 of resnet8 has one block; there is nothing to iterate",
        ),
        (
            lambda: resnet(plan="resnet20", folded=(4,)),
            "resnet20 has stages 1 to 3; it cannot fold stage 4",
        ),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ConfigError) as error:
        make()
    assert str(error.value) == message


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"^model 'vgg' is unknown; known: mlp, conv2, "):
        build("vgg", shape=CIFAR, classes=10)
    with pytest.raises(ConfigError, match="^residual network 'resnet1' is unknown; known: resnet8"):
        resnet(plan="resnet1")
