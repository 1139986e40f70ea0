"""A sparse matrix without a gradient, multiplied with dense ones that have one."""

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
        self._shape = shape
        self._values = torch.from_numpy(values.astype(np.float32))
        self._layout = _Layout(rows, columns, shape[0])
        self._transposed_layout = _Layout(columns, rows, shape[1])
        self._fill()

    def _fill(self) -> None:
        self._matrix = self._layout.matrix(self._values, self._shape)
        self._transposed = self._transposed_layout.matrix(self._values, self._shape[::-1])

    @property
    def entries(self) -> int:
        """Places that may hold a value."""
        return len(self._values)

    def thinned(self, kept: Tensor) -> "SparseMatrix":
        """The same matrix with zeros where the bool tensor (entries,) is False."""
        other = object.__new__(SparseMatrix)
        other._shape, other._values = self._shape, self._values * kept
        other._layout, other._transposed_layout = self._layout, self._transposed_layout
        other._fill()
        return other

    def product(self, dense: Tensor) -> Tensor:
        """(columns, n) to (rows, n); the gradient goes to the dense matrix alone."""
        return _Product.apply(dense, self._matrix, self._transposed)


class _Layout:
    """Where the entries of a matrix go when it is compressed by rows."""

    def __init__(self, rows: np.ndarray, columns: np.ndarray, height: int) -> None:
        order = np.lexsort((columns, rows))
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=height))])
        self._order, self._starts = torch.from_numpy(order), torch.from_numpy(starts)
        self._columns = torch.from_numpy(columns[order])

    def matrix(self, values: Tensor, shape: tuple[int, int]) -> Tensor:
        """The compressed matrix."""
        with torch.sparse.check_sparse_tensor_invariants(), warnings.catch_warnings():
            # PyTorch calls this layout a beta; product and gradient are tested against dense ones.
            warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")
            return torch.sparse_csr_tensor(
                self._starts, self._columns, values[self._order], size=shape
            )
