"""The layers of a network under search, made from a plan and the settings."""

from collections import Counter

from torch import Tensor, nn

from tombola.search.activation import (
    FixedQuantiser,
    Quantiser,
    RunningQuantiser,
    SignQuantiser,
)
from tombola.search.allocation import freeze_ratios
from tombola.search.input_code import InputCode
from tombola.search.layers import AddLayer, AverageLayer, ConvLayer, MaxLayer, SubsampleLayer
from tombola.search.masked_conv import MaskedConv
from tombola.search.norm import BatchNorm, FrozenNorm
from tombola.search.plan import Convolve, Output, Plan, PoolAverage, PoolMax, Step, Subsample
from tombola.search.rates import magnitude_drops, uniform_drops
from tombola.search.settings import SearchSettings
from tombola.search.weight_source import WeightSource, in_stream_order
from tombola.spec.arithmetic import MAX_ACTIVATION_BITS, NumberType
from tombola.spec.weight_stream import WeightSet, freeze_counts

LayerModule = ConvLayer | AddLayer | MaxLayer | AverageLayer | SubsampleLayer


def assemble(plan: Plan, settings: SearchSettings, code: InputCode) -> list[LayerModule]:
    """One layer for each step of the plan; steps of one path share their convolution.

    Parameters
    ----------
    plan : Plan
    settings : SearchSettings
    code : InputCode
        Of the image bytes.
    """
    uses = Counter(step.path for step in plan.steps if isinstance(step, Convolve))
    norms = [_norm_kind(step, settings, uses) for step in plan.steps]
    quantisers = [
        _quantiser(step, norm, settings) for step, norm in zip(plan.steps, norms, strict=True)
    ]
    types, fixed_steps = _tensors(plan, quantisers, code)
    convs = _convs(plan, settings, fixed_steps)
    fused = _fused(plan)
    layers: list[LayerModule] = []
    for index, (step, quantiser) in enumerate(zip(plan.steps, quantisers, strict=True)):
        if isinstance(step, Convolve):
            pool = _max_pool(plan.steps[fused[index]]) if index in fused else None
            norm = _norm(step, norms[index], quantiser, settings)
            layer = ConvLayer(convs[step.path], norm=norm, quantiser=quantiser, pool=pool)
        elif isinstance(step, PoolMax):
            layer = MaxLayer(None if index in fused.values() else _max_pool(step))
        elif isinstance(step, PoolAverage):
            pool = nn.AvgPool2d(step.kernel, step.stride, step.padding)
            logits = step.output is Output.LOGITS
            layer = AverageLayer(pool, source=types[step.input], logits=logits)
        elif isinstance(step, Subsample):
            layer = SubsampleLayer(step.stride, channels=step.shape[0])
        else:
            layer = AddLayer(quantiser=quantiser)
        layers.append(layer)
    return layers


def _max_pool(step: PoolMax) -> nn.MaxPool2d:
    return nn.MaxPool2d(step.kernel, step.stride, step.padding)


def _fused(plan: Plan) -> dict[int, int]:
    """Convolutions that only a max pooling reads, each with the step of that."""
    fused = {}
    for index, step in enumerate(plan.steps):
        readers = plan.readers(index + 1)
        if isinstance(step, Convolve) and len(readers) == 1:
            (reader,) = readers
            if isinstance(plan.steps[reader], PoolMax):
                fused[index] = reader
    return fused


def _norm_kind(step: Step, settings: SearchSettings, uses: Counter[str]) -> str:
    """What becomes of the batch norm behind a convolution; "none" where there is none."""
    if not isinstance(step, Convolve) or step.norm is None:
        return "none"
    if settings.norm == "folded":
        return "affine" if uses[step.path] > 1 else "plain"
    return settings.norm


def _quantiser(step: Step, norm: str, settings: SearchSettings) -> Quantiser | None:
    """What rounds a sum; its step is fixed where a batch norm without factors comes before."""
    if isinstance(step, PoolMax | PoolAverage | Subsample) or step.output is Output.LOGITS:
        return None
    bits = settings.activation_bits
    if settings.activation == "sign":
        if step.output is Output.ACTIVATION:
            return SignQuantiser()
        bits = MAX_ACTIVATION_BITS
    signed = step.output is Output.LINEAR
    type_ = NumberType(bits=max(2, bits) if signed else bits, signed=signed)
    fixed = norm == "plain" and step.residual is None
    return FixedQuantiser(type_) if fixed else RunningQuantiser(type_)


def _tensors(
    plan: Plan, quantisers: list[Quantiser | None], code: InputCode
) -> tuple[list[NumberType], list[float | None]]:
    """Type of each tensor, and its step where that never changes."""
    types, fixed = [code.type], [code.step]
    for step, quantiser in zip(plan.steps, quantisers, strict=True):
        type_, size = types[step.input], fixed[step.input]
        if quantiser is not None:
            type_ = quantiser.type
            size = None if isinstance(quantiser, RunningQuantiser) else quantiser.step
        elif isinstance(step, PoolAverage):
            size = None if size is None else size / (1 << (MAX_ACTIVATION_BITS - type_.bits))
            type_ = NumberType(bits=MAX_ACTIVATION_BITS, signed=type_.signed)
        types.append(type_)
        fixed.append(size)
    return types, fixed


def _norm(
    step: Convolve, kind: str, quantiser: Quantiser | None, settings: SearchSettings
) -> BatchNorm | FrozenNorm | None:
    channels = step.size.out_channels
    # Drawn weights have no bias; behind a stored one that no norm takes away stands an offset.
    bias = step.module.bias if settings.weights is WeightSource.STORED else None
    if kind == "frozen":
        return FrozenNorm.of(step.norm, bias, channels)
    if kind == "none":
        return None if bias is None else FrozenNorm.of(None, bias, channels)
    if kind == "refreshed":
        return BatchNorm(channels, like=step.norm, trained=True, bias=bias)
    if isinstance(quantiser, FixedQuantiser):
        return BatchNorm(channels, scale=1 / quantiser.step, shift=quantiser.half, like=step.norm)
    return BatchNorm(channels, affine=kind == "affine", like=step.norm)


def _convs(
    plan: Plan, settings: SearchSettings, fixed_steps: list[float | None]
) -> dict[str, MaskedConv]:
    """One module for each set of weights, by path; ids count in the order of the plan."""
    uses: dict[str, list[Convolve]] = {}
    for step in plan.steps:
        if isinstance(step, Convolve):
            uses.setdefault(step.path, []).append(step)
    weight_sets = _weight_sets(uses, settings)
    trained = _trained(uses, weight_sets, settings)
    if settings.rates == "magnitude":
        drops = magnitude_drops(trained, sparsity=settings.sparsity)
    else:
        counts = [steps[0].size.weights for steps in uses.values()]
        drops = uniform_drops(counts, sparsity=settings.sparsity)
    convs = {}
    for number, (path, steps) in enumerate(uses.items()):
        first = steps[0]
        read = {fixed_steps[step.input] for step in steps}
        common = read.pop() if len(read) == 1 else None
        convs[path] = MaskedConv(
            weight_sets[number],
            settings=settings,
            stride=first.stride,
            padding=first.padding,
            groups=first.groups,
            whole_map=all(step.whole_map for step in steps),
            input_step=1.0 if common is None else common,
            drop=drops[number],
            trained=trained[number],
            one_step=any(step.output is Output.LOGITS for step in steps),
        )
    return convs


def _weight_sets(uses: dict[str, list[Convolve]], settings: SearchSettings) -> list[WeightSet]:
    """One for each path, with what the seed is to freeze of it."""
    sizes = [steps[0].size for steps in uses.values()]
    ratios = freeze_ratios(
        sizes,
        prune=settings.prune,
        lock=settings.lock,
        allocation=settings.allocation,
        jointly=settings.jointly,
    )
    counts = [freeze_counts(*ratio) for ratio in ratios]
    return [
        WeightSet(
            id=number,
            out_channels=size.out_channels,
            in_channels=size.in_channels,
            kernel=size.kernel,
            prune=pruned,
            lock=locked,
        )
        for number, (size, (pruned, locked)) in enumerate(zip(sizes, counts, strict=True))
    ]


def _trained(
    uses: dict[str, list[Convolve]], weight_sets: list[WeightSet], settings: SearchSettings
) -> list[Tensor | None]:
    """The model's own weights of each path, in stream order, where they are to be stored."""
    if settings.weights is not WeightSource.STORED:
        return [None] * len(weight_sets)
    return [
        in_stream_order(steps[0].module.weight, weight_set)
        for steps, weight_set in zip(uses.values(), weight_sets, strict=True)
    ]
