"""Models to plans: what each operation becomes, and what is refused, by name."""

import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from tombola.search.allocation import LayerSize
from tombola.search.models import MODELS, build
from tombola.search.plan import Add, Convolve, Output, PoolAverage, PoolMax, Subsample
from tombola.search.trace import plan
from tombola.spec.errors import ConfigError

SHAPE = (3, 8, 8)


class Functional(nn.Module):
    """Whatever a forward is given."""

    def __init__(self, forward, **modules):
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)
        self._forward = forward

    def forward(self, inputs):
        return self._forward(self, inputs)


def conv(inputs, outputs, kernel=3, **options):
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False, **options)


def kinds(model):
    return [type(step).__name__ for step in plan(model, shape=SHAPE).steps]


def head(channels=4):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5))


def test_conv_norm_and_relu_are_one_step():
    model = nn.Sequential(conv(3, 4), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), head())
    first, pool, mean, last = plan(model, shape=SHAPE).steps
    assert (first.path, first.norm, first.output) == ("0", model[1], Output.ACTIVATION)
    assert first.size == LayerSize(out_channels=4, in_channels=3, kernel=(3, 3))
    assert (first.shape, first.padding, first.whole_map) == ((4, 8, 8), (1, 1, 1, 1), False)
    assert pool == PoolMax(
        input=1, kernel=(2, 2), stride=(2, 2), padding=(0, 0), shape=(4, 4, 4)
    )
    assert mean == PoolAverage(
        input=2, kernel=(4, 4), stride=(4, 4), padding=(0, 0), shape=(4, 1, 1)
    )
    assert (last.input, last.path, last.output) == (3, "4.2", Output.LOGITS)
    assert last.whole_map


def test_a_linear_layer_after_a_map_has_the_map_as_kernel():
    step = plan(nn.Sequential(nn.Flatten(), nn.Linear(192, 5)), shape=SHAPE).steps[0]
    assert step.size == LayerSize(out_channels=5, in_channels=3, kernel=(8, 8))
    assert (step.input, step.whole_map) == (0, True)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_block_adds_its_input_before_the_activation(swapped):
    def forward(self, x):
        x = functional.relu(self.norm(self.first(x)))
        made = self.norm2(self.second(x))
        return self.head(functional.relu(x + made if swapped else made + x))

    model = Functional(
        forward, first=conv(3, 4), norm=nn.BatchNorm2d(4), second=conv(4, 4),
        norm2=nn.BatchNorm2d(4), head=head(),
    )  # fmt: skip
    steps = plan(model, shape=SHAPE).steps
    assert [type(step) for step in steps] == [Convolve, Convolve, PoolAverage, Convolve]
    assert (steps[1].input, steps[1].residual, steps[1].norm) == (1, 1, model.norm2)
    assert steps[1].output is Output.ACTIVATION


def test_of_two_convolutions_added_one_is_rounded_without_a_relu():
    def forward(self, x):
        x = self.left(x) + self.right(x)
        return self.head(torch.relu(x))

    model = Functional(forward, left=conv(3, 4), right=conv(3, 4, 1), head=head())
    right, left, *_ = plan(model, shape=SHAPE).steps
    assert (right.path, right.output) == ("right", Output.LINEAR)
    assert (left.path, left.residual, left.output) == ("left", 1, Output.ACTIVATION)


def test_tensors_already_made_are_added_by_a_step_of_their_own():
    def forward(self, x):
        x = self.conv(x).relu()
        y = functional.max_pool2d(x, 3, stride=1, padding=1)
        return self.head((x + y).relu())

    steps = plan(Functional(forward, conv=conv(3, 4), head=head()), shape=SHAPE).steps
    assert steps[2] == Add(input=1, residual=2, shape=(4, 8, 8), output=Output.ACTIVATION)


def test_functions_and_methods_read_like_modules():
    def forward(self, x):
        x = torch.relu(self.conv(x))
        x = functional.avg_pool2d(functional.max_pool2d(x, 2), kernel_size=2)
        x = functional.adaptive_avg_pool2d(x, (1, 1))
        return self.linear(x.view(x.size(0), -1))

    steps = plan(Functional(forward, conv=conv(3, 4), linear=nn.Linear(4, 5)), shape=SHAPE).steps
    assert [type(x) for x in steps] == [Convolve, PoolMax, PoolAverage, PoolAverage, Convolve]
    assert [x.shape for x in steps[1:4]] == [(4, 4, 4), (4, 2, 2), (4, 1, 1)]


def test_a_mean_over_the_map_is_a_pooling():
    def forward(self, x):
        return self.linear(torch.relu(self.conv(x)).mean((2, 3)))

    steps = plan(Functional(forward, conv=conv(3, 4), linear=nn.Linear(4, 5)), shape=SHAPE).steps
    assert (steps[1].kernel, steps[1].shape) == ((8, 8), (4, 1, 1))


def test_a_relu_after_a_max_pooling_moves_ahead_of_it():
    model = nn.Sequential(conv(3, 4), nn.MaxPool2d(2), nn.ReLU(), head())
    steps = plan(model, shape=SHAPE).steps
    assert [type(step) for step in steps] == [Convolve, PoolMax, PoolAverage, Convolve]
    assert steps[0].output is Output.ACTIVATION


def test_a_relu_does_not_move_where_someone_else_reads():
    def forward(self, x):
        x = self.conv(x)
        return self.head(functional.max_pool2d(x, 3, 1, 1).relu() + x)

    model = Functional(forward, conv=conv(3, 4), head=head())
    assert kinds(model)[:3] == ["Convolve", "PoolMax", "Add"]
    assert plan(model, shape=SHAPE).steps[0].output is Output.LINEAR


def test_groups():
    model = nn.Sequential(conv(3, 6, groups=3), head(6))
    step = plan(model, shape=SHAPE).steps[0]
    assert (step.groups, step.size.in_channels, step.size.out_channels) == (3, 1, 6)


def test_pixels_taken_and_zeros_added():
    def forward(self, x):
        return self.head(functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 1)))

    steps = plan(Functional(forward, head=head()), shape=SHAPE).steps
    assert steps[0] == Subsample(input=0, stride=(2, 2), shape=(4, 4, 4))


def test_a_module_called_again_is_the_same_weights():
    def forward(self, x):
        x = torch.relu(self.first(x))
        for norm in self.norms:
            x = torch.relu(norm(self.folded(x)) + x)
        return self.head(x)

    norms = nn.ModuleList(nn.BatchNorm2d(4) for _ in range(3))
    model = Functional(forward, first=conv(3, 4), folded=conv(4, 4), norms=norms, head=head())
    folded = [x for x in plan(model, shape=SHAPE).steps if getattr(x, "path", "") == "folded"]
    assert [x.norm for x in folded] == list(norms)
    assert [x.input for x in folded] == [1, 2, 3]


def test_logits_may_be_a_mean():
    model = nn.Sequential(conv(3, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    last = plan(model, shape=SHAPE).steps[-1]
    assert isinstance(last, PoolAverage)
    assert last.output is Output.LOGITS


def test_activated_logits_are_read_out_by_an_addition_of_nothing():
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 5), nn.ReLU())
    last = plan(model, shape=SHAPE).steps[-1]
    assert last == Add(input=1, shape=(5, 1, 1), output=Output.LOGITS)


@pytest.mark.parametrize("name", MODELS)
def test_ready_made_networks(name):
    width = {} if name == "mlp" else {"width": 1 / 16}
    steps = plan(build(name, shape=(3, 32, 32), classes=7, **width), shape=(3, 32, 32)).steps
    assert steps[-1].shape == (7, 1, 1)
    assert steps[-1].output is Output.LOGITS
    convolutions = [step for step in steps if isinstance(step, Convolve)]
    assert all(step.norm is not None for step in convolutions[:-1])
    # The shortcuts alone are not activated.
    for index, step in enumerate(steps[:-1]):
        if isinstance(step, Convolve) and step.output is Output.LINEAR:
            (reader,) = [x for x in steps if getattr(x, "residual", None) == index + 1]
            assert reader.output is Output.ACTIVATION


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(conv(3, 4), nn.BatchNorm2d(4), nn.ReLU(), head())
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    plan(model, shape=SHAPE)
    assert [module.training for module in model] == [True, False, True, True]
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


KNOWN = (
    "which knows convolutions, linear layers, batch norms, ReLUs, max, average and adaptive "
    "poolings, flatten and additions"
)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            nn.Sequential(nn.Sequential(nn.GELU()), head(3)),
            f"0.0 cannot be searched: GELU has no place in a ticket, {KNOWN}",
        ),
        (
            nn.Sequential(Functional(lambda _, x: torch.sigmoid(x)), head(3)),
            f"sigmoid in 0 cannot be searched: sigmoid has no place in a ticket, {KNOWN}",
        ),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3, dilation=2), head()),
            "0 cannot be searched: dilation must be 1, not (2, 2)",
        ),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), head()),
            "0 cannot be searched: padding must be of zeros, not 'reflect'",
        ),
        (
            nn.Sequential(nn.Conv2d(3, 4, 1, padding=1), head()),
            "0 cannot be searched: padding (1, 1) must be smaller than the kernel (1, 1)",
        ),
        (
            nn.Sequential(conv(3, 4), nn.ReLU(), nn.BatchNorm2d(4), head()),
            "2 cannot be searched: a batch norm must follow a convolution or linear layer that "
            "nothing else reads, so that the engine can make the two in one",
        ),
        (
            nn.Sequential(nn.MaxPool2d(3, ceil_mode=True), head(3)),
            "0 cannot be searched: its windows must lie within the map; leave ceil_mode out",
        ),
        (
            nn.Sequential(nn.AvgPool2d(3, padding=1, count_include_pad=False), head(3)),
            "0 cannot be searched: its mean must count the padding; leave count_include_pad as "
            "it is",
        ),
        (
            nn.Sequential(nn.AdaptiveAvgPool2d(3), head(3)),
            "0 cannot be searched: its windows must all be of one size, but 8x8 does not divide "
            "into 3x3",
        ),
        (
            nn.Sequential(conv(3, 4), nn.Linear(8, 5)),
            "1 cannot be searched: a linear layer reads a flat tensor; flatten the map before it",
        ),
        (
            nn.Sequential(Functional(lambda _, x: x + 1), head(3)),
            "add in 0 cannot be searched: it must be given tensors that come from the image",
        ),
        (
            nn.Sequential(Functional(lambda _, x: x[:, :, 2:]), head(3)),
            "getitem in 0 cannot be searched: an index may only take every n-th row and column, "
            "[:, :, ::n, ::n]",
        ),
        (
            nn.Sequential(conv(3, 4)),
            "the model must return logits (batch, classes), not a map of (4, 8, 8)",
        ),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(99, 5)),
            "the model cannot be traced on images of 3x8x8: ",
        ),
        (
            Functional(lambda _, x: x if x.sum() > 0 else -x),
            "the model cannot be traced on images of 3x8x8: ",
        ),
    ],
)
def test_what_has_no_place_is_named(model, message):
    with pytest.raises(ConfigError) as error:
        plan(model, shape=SHAPE)
    said = str(error.value)
    assert said.startswith(message)
    if message.endswith(": "):
        assert "\n" not in said
        assert said.endswith(
            "; it must run on them, and branch on nothing that depends on values"
        )
    else:
        assert said == message
