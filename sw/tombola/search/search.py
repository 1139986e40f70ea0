"""A whole search: preset and data in, a folder with ticket, metrics, curve and checkpoint out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tombola.model.integer import IntegerModel
from tombola.search import curve, metrics
from tombola.search.determinism import check_device, deterministic
from tombola.search.distributed import Ranks
from tombola.search.export import export
from tombola.search.metrics import EpochMetrics, best
from tombola.search.network import convert
from tombola.search.presets import Preset
from tombola.search.pretrained import digest
from tombola.search.samples import Samples
from tombola.search.trainer import ALONE, Files, Observer, Trainer
from tombola.search.weight_source import WeightSource
from tombola.spec import ticket_file
from tombola.spec.errors import ConfigError
from tombola.spec.paths import make_folder

Scalars = dict[str, str | int | float]


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """What a search found.

    Attributes
    ----------
    ticket : Path or None
        None where the weights cannot be exported, and in all processes but the first.
    ticket_bytes : int or None
    float_accuracy : float
        Of the network under search on the test samples, 0 to 1.
    epoch : int
        Whose masks these are.
    validation_accuracy : float or None
        Of that epoch, where samples were set aside to choose it by.
    integer_accuracy : float or None
        Of the ticket in integer arithmetic on the same samples.
    history : list of EpochMetrics
    """

    ticket: Path | None
    ticket_bytes: int | None
    float_accuracy: float
    integer_accuracy: float | None
    epoch: int
    validation_accuracy: float | None
    history: list[EpochMetrics]


class _Recorder:
    """Writes the metrics after each epoch, before anyone else hears of it."""

    def __init__(self, out: Path, then: Observer | None) -> None:
        self._path, self._then = out / "metrics.jsonl", then

    def step(self, *, epoch: int, step: int, steps: int) -> None:
        if self._then is not None:
            self._then.step(epoch=epoch, step=step, steps=steps)

    def epoch(self, history: Sequence[EpochMetrics]) -> None:
        metrics.write(history, self._path)
        if self._then is not None:
            self._then.epoch(history)


def search(
    preset: Preset,
    *,
    train: Samples,
    test: Samples,
    classes: Sequence[str],
    out: Path,
    resume: bool = False,
    observer: Observer | None = None,
    ranks: Ranks = ALONE,
) -> SearchResult:
    """Searches a preset and writes ``NAME.ticket``, metrics.jsonl, curve.png and checkpoint.pt.

    The ticket is the mask of the last epoch or, where training samples are set aside, of the first
    that does best on those; nothing is chosen by test accuracy. The same preset, data, PyTorch
    version, thread and process count give the same bytes, resumed or not.

    Parameters
    ----------
    preset : Preset
    train, test : Samples
    classes : sequence of str
        One name for each label.
    out : Path
        Folder, made where it is missing.
    resume : bool
        Go on from the checkpoint in `out`, where there is one.
    ranks : Ranks
        This process among those that search together. The first one writes the files and finds the
        ticket; the others return without.

    Raises
    ------
    ConfigError
        If settings, data and checkpoint do not fit together.
    """
    settings = preset.settings
    shape = tuple(train.images.shape[1:])
    wide = {} if preset.width == 1 else {"width": preset.width}
    train = train.first(preset.train_samples, what="training samples")
    test = test.first(preset.test_samples, what="test samples")
    try:
        model = preset.model(shape=shape, classes=len(classes), **wide)
        network = convert(model, settings, shape=shape, code=preset.code)
    except RuntimeError as error:
        if "memory" not in str(error):
            raise
        raise ConfigError(
            f"preset {preset.name} does not fit into memory with width {preset.width:g}; lower it"
        ) from None
    if network.classes != len(classes):
        raise ConfigError(
            f"preset {preset.name} ends in {network.classes} logits, but the data have "
            f"{len(classes)} classes"
        )
    for samples in (train, test):
        _check_samples(samples, classes)
    described = provenance(preset)
    if settings.weights is WeightSource.STORED:
        described["trained"] = digest(model)
    if ranks.size > 1:
        described["processes"] = ranks.size
    identity = {
        **described,
        "seed": settings.seed,
        "training samples": len(train),
        "test samples": len(test),
    }
    check_device(settings.device)
    network.check()
    validation = None
    if settings.validation:
        train, validation = train.set_aside(settings.validation, seed=settings.seed)
    trainer = Trainer(
        network,
        train=train,
        test=test,
        validation=validation,
        files=Files(checkpoint=out / "checkpoint.pt", identity=identity),
        observer=_Recorder(out, observer) if ranks.first else None,
        ranks=ranks,
    )
    make_folder(out)
    history = trainer.run(resume=resume)
    found = best(history)
    if ranks.first:
        metrics.write(history, out / "metrics.jsonl")
        curve.draw(history, out / "curve.png", title=f"{preset.name}, seed {settings.seed}")
    if settings.weights is WeightSource.TORCH or not ranks.first:
        return _result(found, history)
    ticket = export(network, classes=classes, provenance={})
    with deterministic(threads=settings.threads):
        integer = IntegerModel(ticket).accuracy(test.images, test.labels)
    described |= {"float_accuracy": found.test_accuracy, "integer_accuracy": integer}
    if found.validation_accuracy is not None:
        described |= {"epoch": found.epoch, "validation_accuracy": found.validation_accuracy}
    path = out / f"{preset.name}.ticket"
    size = ticket_file.save(replace(ticket, provenance=described), path)
    return _result(found, history, ticket=path, ticket_bytes=size, integer_accuracy=integer)


def _result(
    found: EpochMetrics,
    history: list[EpochMetrics],
    *,
    ticket: Path | None = None,
    ticket_bytes: int | None = None,
    integer_accuracy: float | None = None,
) -> SearchResult:
    return SearchResult(
        ticket=ticket,
        ticket_bytes=ticket_bytes,
        float_accuracy=found.test_accuracy,
        integer_accuracy=integer_accuracy,
        epoch=found.epoch,
        validation_accuracy=found.validation_accuracy,
        history=history,
    )


def _check_samples(samples: Samples, classes: Sequence[str]) -> None:
    """What would otherwise be noticed after the search."""
    if not len(samples):
        raise ConfigError("a search needs training and test images; one of the two is empty")
    low, high = int(samples.labels.min()), int(samples.labels.max())
    if low < 0 or high >= len(classes):
        raise ConfigError(f"labels must lie in 0..{len(classes) - 1}, not in {low}..{high}")


def provenance(preset: Preset) -> Scalars:
    """What a ticket says of its search: no time, no host, no path."""
    record = preset.settings.record()
    del record["seed"]  # the ticket has it already
    return {
        "preset": preset.name,
        "dataset": preset.dataset,
        **({} if preset.width == 1 else {"width": preset.width}),
        **{
            name: value
            for name, value in (
                ("training samples", preset.train_samples), ("test samples", preset.test_samples),
            )
            if value is not None
        },
        **record,
        "torch": torch.__version__.partition("+")[0],
    }
