"""One search by many processes: each takes a part of every batch, and all keep the same masks."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as distributed

# Its functions take the group of all processes as a default, and the first optimiser imports it.
# Imported after the group was made it would keep the group, and its threads, to the very end of
# the process, where they now and then take it down.
import torch.distributed.nn.functional
from torch import Tensor, nn

from tombola.search.determinism import check_device


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """This process among those that search together; alone unless something started more.

    Attributes
    ----------
    rank : int
        0 to ``size - 1``; rank 0 writes the files.
    size : int
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process speaks for all."""
        return self.rank == 0

    def part(self, batch: Tensor) -> Tensor:
        """The images of a batch that are this process's; parts differ by one image at most."""
        return batch.tensor_split(self.size)[self.rank]

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces each gradient by the sum over all processes, the same bits in each of them.

        A loss that is the mean over a part must be weighted with the part's share of the batch.
        """
        if self.size == 1:
            return
        gradients = [x.grad for x in parameters if x.grad is not None]
        together = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(together)
        parts = together.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    @torch.no_grad()
    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replaces each tensor by its mean over all processes, such as statistics of batches."""
        if self.size == 1:
            return
        for tensor in tensors:
            distributed.all_reduce(tensor)
            tensor /= self.size

    def total(self, values: Sequence[float]) -> list[float]:
        """Each value summed over all processes."""
        if self.size == 1:
            return list(values)
        together = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(together)
        return together.tolist()

    def check_same(self, tensors: Iterable[Tensor], *, what: str) -> None:
        """Stops the search where two processes hold different values.

        Raises
        ------
        RuntimeError
            In all of them: this is a fault of the program or of a machine.
        """
        if self.size == 1:
            return
        digest = hashlib.sha256()
        for tensor in tensors:
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        digests: list[str | None] = [None] * self.size
        distributed.all_gather_object(digests, digest.hexdigest())
        if len(set(digests)) > 1:
            raise RuntimeError(f"processes of one search have different {what}: {digests}")

    def wait(self) -> None:
        """Returns when all processes have come here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def joined(device: str = "cpu") -> Iterator[Ranks]:
    """The processes that torchrun started, connected inside the block; one alone without torchrun.

    Tensors on CPUs are summed by gloo, those on GPUs by NCCL; each process takes the GPU of its
    number on its machine.

    Raises
    ------
    ConfigError
        If a GPU is asked for where PyTorch sees none.
    """
    check_device(device)
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Ranks()
        return
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device == "cuda" else "gloo")
    try:
        ranks = Ranks(rank=distributed.get_rank(), size=size)
        yield ranks
        ranks.wait()  # one that leaves early would break the connections of the others
    finally:
        distributed.destroy_process_group()
