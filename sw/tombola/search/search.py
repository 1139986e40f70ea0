"""A whole search: preset and data in, a folder with ticket, metrics, curve and checkpoint out."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tombola.model.integer import IntegerModel
from tombola.search import curve, metrics
from tombola.search.determinism import deterministic
from tombola.search.distributed import Ranks
from tombola.search.export import export
from tombola.search.metrics import EpochMetrics
from tombola.search.network import convert
from tombola.search.presets import Preset
from tombola.search.samples import Samples
from tombola.search.trainer import ALONE, Files, Observer, Trainer
from tombola.search.weight_source import WeightSource
from tombola.spec import ticket_file
from tombola.spec.errors import ConfigError

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
    integer_accuracy : float or None
        Of the ticket in integer arithmetic on the same samples.
    history : list of EpochMetrics
    """

    ticket: Path | None
    ticket_bytes: int | None
    float_accuracy: float
    integer_accuracy: float | None
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

    The ticket is the mask of the last epoch; nothing is chosen by test accuracy. The same preset,
    data, PyTorch version, thread and process count give the same bytes, resumed or not.

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
    model = preset.model(shape=shape, classes=len(classes), **wide)
    network = convert(model, settings, shape=shape, code=preset.code)
    if network.classes != len(classes):
        raise ConfigError(
            f"preset {preset.name} ends in {network.classes} logits, but the data have "
            f"{len(classes)} classes"
        )
    for samples in (train, test):
        _check_samples(samples, classes)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass  # better now than after the first epoch
    except OSError as error:
        raise ConfigError(f"cannot make folder {out}: {error.strerror}; name another") from None
    described = provenance(preset)
    if ranks.size > 1:
        described["processes"] = ranks.size
    identity = {
        **described,
        "seed": settings.seed,
        "training samples": len(train),
        "test samples": len(test),
    }
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("PyTorch sees no GPU; search with device cpu")
    trainer = Trainer(
        network,
        train=train,
        test=test,
        files=Files(checkpoint=out / "checkpoint.pt", identity=identity),
        observer=_Recorder(out, observer) if ranks.first else None,
        ranks=ranks,
    )
    history = trainer.run(resume=resume)
    measured = history[-1].test_accuracy
    if ranks.first:
        metrics.write(history, out / "metrics.jsonl")
        curve.draw(history, out / "curve.png", title=f"{preset.name}, seed {settings.seed}")
    if settings.weights is WeightSource.TORCH or not ranks.first:
        return SearchResult(
            ticket=None,
            ticket_bytes=None,
            float_accuracy=measured,
            integer_accuracy=None,
            history=history,
        )
    ticket = export(network, classes=classes, provenance={})
    with deterministic(threads=settings.threads):
        integer = IntegerModel(ticket).accuracy(test.images, test.labels)
    described |= {"float_accuracy": measured, "integer_accuracy": integer}
    path = out / f"{preset.name}.ticket"
    size = ticket_file.save(replace(ticket, provenance=described), path)
    return SearchResult(
        ticket=path,
        ticket_bytes=size,
        float_accuracy=measured,
        integer_accuracy=integer,
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
        **record,
        "torch": torch.__version__.partition("+")[0],
    }
