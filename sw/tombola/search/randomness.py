"""Every random choice of the search that is not on the chip, each from the seed and a purpose."""

import hashlib

import torch


def generator(seed: int, purpose: str, index: int = 0) -> torch.Generator:
    """A PyTorch generator of its own for each (seed, purpose, index).

    The state is a hash, so that neighbouring seeds and epochs do not share draws, and the scores
    are independent of the weight stream although both come from one seed.
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{index}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
