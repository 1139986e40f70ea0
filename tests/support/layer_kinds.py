"""Small engines, and networks with one kind of layer in several odd shapes."""

from support.tickets import SIGNED, TicketBuilder
from tombola.spec.engine import EngineConfig
from tombola.spec.ticket import Residual, Window


def engine(rows: int, lanes: int, **more) -> EngineConfig:
    """A small engine whose weights are built fast."""
    sizes = {"construction": 8, "activation_words": 1024, "table_entries": 256, "weight_lines": 64,
             "result_words": 256}
    return EngineConfig(rows=rows, lanes=lanes, **{**sizes, **more})


def residual_network(channels: int) -> TicketBuilder:
    """Residuals of either sign and with either signed activations, to every kind of layer."""
    same = Window(padding=(1, 1, 1, 1))
    return (
        TicketBuilder((channels, 3, 4), type=SIGNED)
        .conv(channels, window=same, in_channels=channels, residual=Residual(tensor=0, scale=900))
        .conv(channels, (2, 1), window=Window(padding=(0, 0, 1, 0)), in_channels=channels,
              output=SIGNED, residual=Residual(tensor=1, scale=-731))
        .rescale(channels=channels, residual=Residual(tensor=2, scale=1500))
        .rescale(channels=channels)
        .conv(channels, (1, 1), in_channels=channels, input=2, freeze=(50, 50),
              residual=Residual(tensor=4, scale=20000))
        .conv(channels, (1, 1), in_channels=channels, logits=True,
              residual=Residual(tensor=3, scale=-3))
    )


def packed_network(channels: int) -> TicketBuilder:
    """Convolutions over few channels, with strides and asymmetric padding, one of them a later."""
    return (
        TicketBuilder((channels, 6, 5), type=SIGNED)
        .conv(3, (3, 3), window=Window(stride=(2, 1), padding=(0, 2, 1, 1)), freeze=(40, 60),
              in_channels=channels)
        .conv(5, (2, 3), window=Window(padding=(1, 1, 0, 1)), in_channels=3, output=SIGNED)
        .conv(4, (4, 2), window=Window(stride=(2, 3), padding=(3, 0, 1, 1)), in_channels=5,
              logits=True)
    )  # fmt: skip


def pooled_network(channels: int) -> TicketBuilder:
    """Convolutions with a pooling behind, of windows that divide the map and that do not."""
    return (
        TicketBuilder((channels, 7, 6), type=SIGNED)
        .conv(5, (3, 2), window=Window(padding=(1, 0, 1, 1)), freeze=(40, 60),
              in_channels=channels, output=SIGNED)
        .max_pool((2, 3), Window(stride=(2, 3)))
        .conv(7, (2, 1), window=Window(stride=(1, 2), padding=(1, 0, 0, 0)), in_channels=5)
        .max_pool((2, 1), Window(stride=(2, 1)))
        .max_pool((1, 1), Window())
        .conv(3, (1, 1), in_channels=7, logits=True)
    )  # fmt: skip


def grouped_network(channels: int, groups: int, wider: int) -> TicketBuilder:
    """Depthwise convolutions and others in groups, between dense ones."""
    same, out = Window(padding=(1, 1, 1, 1)), groups * wider
    return (
        TicketBuilder((channels, 4, 5), type=SIGNED)
        .conv(channels, window=same, in_channels=1, groups=channels, output=SIGNED)
        .conv(out, (1, 1), in_channels=channels // groups, groups=groups, freeze=(40, 60))
        .conv(2 * out, (2, 3), window=Window(stride=(2, 1), padding=(0, 1, 1, 1)), in_channels=1,
              groups=out)
        .conv(3, (2, 2), window=Window(stride=(1, 2)), in_channels=2 * out)
        .conv(3, (1, 2), in_channels=1, groups=3, logits=True)
    )  # fmt: skip


def poolings_network(channels: int) -> TicketBuilder:
    """Poolings of all kinds, of signed and unsigned activations, with and without borders."""
    return (
        TicketBuilder((channels, 4, 3), type=SIGNED)
        .max_pool((2, 2), Window(padding=(0, 1, 1, 0)))
        .average_pool((2, 1), Window(padding=(1, 0, 0, 0)), channels=channels)
        .rescale(channels=channels, input=1, output=SIGNED)
        .max_pool((3, 1), Window(stride=(1, 2), padding=(1, 0, 1, 0)))
        .average_pool((4, 2), Window(), channels=channels)
        .max_pool((1, 1), Window())
        .conv(3, (1, 1), in_channels=channels, logits=True)
    )


def tall_network() -> TicketBuilder:
    """Windows of the output that lie in several strips of the input."""
    return (
        TicketBuilder((2, 24, 3), type=SIGNED)
        .conv(4, (3, 2), window=Window(stride=(1, 1), padding=(1, 0, 1, 1)), in_channels=2)
        .max_pool((3, 1), Window(stride=(3, 1)))
        .conv(3, (2, 1), window=Window(stride=(1, 2), padding=(1, 0, 1, 0)), in_channels=4)
        .max_pool((2, 2), Window(stride=(2, 2)))
        .conv(3, (4, 1), in_channels=3, logits=True)
    )  # fmt: skip
