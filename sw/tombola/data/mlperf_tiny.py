"""The image classifier of MLPerf Tiny, a ResNet8 trained on CIFAR-10."""

from pathlib import Path

from ..spec.errors import DataError
from . import keras
from .planetoid import BESIDE
from .source import Source
from .trained import TrainedNetwork

__all__ = ["RESNET8"]

FILE = "mlperf_tiny_resnet8_cifar10.h5"
DIGEST = "b6de7f68cbd0dbd72db4de11f6fcce980382991e5f3d95c822f5015b170a1b8a"


def _read(folder: Path) -> TrainedNetwork:
    network = keras.read(folder / FILE)
    if network.digest != DIGEST:
        raise DataError(
            f"{folder / FILE} is damaged: the SHA-256 of its arrays begins {network.digest[:8]}, "
            f"not {DIGEST[:8]}"
        )
    return network


RESNET8 = Source(
    name="resnet8",
    title="ResNet8 of MLPerf Tiny, trained on CIFAR-10",
    files=(FILE,),
    read=_read,
    download=None,
    system_folders=(BESIDE,),
)
