"""A sparse matrix that never changes, multiplied with dense ones that have gradients."""

import warnings

import numpy as np
import torch
from torch import Tensor


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, dense: Tensor, matrix: Tensor, transposed: Tensor) -> Tensor:
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        return ctx.transposed @ gradient, None, None


class SparseMatrix:
    """Rows of few values, kept together with its transpose for the gradient.

    Parameters
    ----------
    rows, columns : int64 array (entries,)
        No place twice.
    values : array (entries,)
    shape : (int, int)
    """

    def __init__(
        self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray, *, shape: tuple[int, int]
    ) -> None:
        self._matrix = _compressed(rows, columns, values, shape)
        self._transposed = _compressed(columns, rows, values, shape[::-1])

    def product(self, dense: Tensor) -> Tensor:
        """(columns, n) to (rows, n); the gradient goes to the dense matrix alone."""
        return _Product.apply(dense, self._matrix, self._transposed)


def _compressed(
    rows: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, int]
) -> Tensor:
    order = np.lexsort((columns, rows))
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
    with torch.sparse.check_sparse_tensor_invariants(), warnings.catch_warnings():
        # PyTorch calls this layout a beta; product and gradient are tested against dense ones.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")
        return torch.sparse_csr_tensor(
            torch.from_numpy(starts),
            torch.from_numpy(columns[order]),
            torch.from_numpy(values[order].astype(np.float32)),
            size=shape,
        )
