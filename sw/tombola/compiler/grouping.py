"""Channel groups: which output channels run at once, and which words and lanes they read."""

from dataclasses import dataclass

from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """The channel groups of one step.

    Parameters
    ----------
    channels : int
        Of each group but maybe the last.
    inner : int
        Words that a group reads at one kernel position.
    step : int
        Words from those of one group to those of the next, once `repeats` groups read the same.
    repeats : int
    lane_channels, lane_step : int
        After so many output channels the weights stand so many lanes further.
    """

    channels: int
    inner: int
    step: int
    repeats: int = 1
    lane_channels: int = 1
    lane_step: int = 0


def grouped(
    operation: Operation, groups: int, in_channels: int, out_channels: int, config: EngineConfig
) -> Grouping:
    """Of a step; see `pooled` and `convolved`."""
    if operation is Operation.CONVOLVE:
        return convolved(groups, in_channels, out_channels, config)
    return pooled(operation, config)


def pooled(operation: Operation, config: EngineConfig) -> Grouping:
    """Of a pooling: each lane is a channel, and some of a word's are pooled at once."""
    channels = config.group_size(operation)
    return Grouping(channels=channels, inner=1, step=1, repeats=config.lanes // channels)


def convolved(groups: int, in_channels: int, out_channels: int, config: EngineConfig) -> Grouping:
    """Of a convolution: as many channels as there are rows, among those that read the same words.

    Parameters
    ----------
    groups : int
        Of the convolution, whose channels do not meet.
    in_channels, out_channels : int
        Of all its groups together.

    Raises
    ------
    FitError
        If groups of input channels begin anywhere in a word.
    """
    ins, outs, lanes = in_channels // groups, out_channels // groups, config.lanes
    if groups == 1:
        return Grouping(channels=config.rows, inner=-(-ins // lanes), step=0)
    if ins % lanes and lanes % ins:
        raise FitError(
            f"the {ins} input channels of a group must divide the {lanes} lanes or be a multiple "
            "of them; use an engine of other lanes"
        )
    inner = max(1, ins // lanes)
    alike = outs * max(1, lanes // ins)  # channels that read the same words
    channels = max(x for x in range(1, min(config.rows, alike) + 1) if alike % x == 0)
    return Grouping(
        channels=channels,
        inner=inner,
        step=inner,
        repeats=alike // channels,
        lane_channels=outs,
        lane_step=ins % lanes,
    )
