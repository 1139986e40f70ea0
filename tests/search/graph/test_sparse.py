"""Sparse products against dense ones, gradients too."""

import numpy as np
import torch

from tombola.search.graph.sparse import SparseMatrix


def test_product_and_gradient():
    rng = np.random.default_rng(1)
    dense = rng.integers(-3, 4, (7, 5)) * (rng.random((7, 5)) < 0.4)
    dense[2] = 0  # a row of nothing
    rows, columns = np.nonzero(dense)
    order = rng.permutation(len(rows))  # entries come in any order
    rows, columns = rows[order], columns[order]
    sparse = SparseMatrix(rows, columns, dense[rows, columns], shape=(7, 5))
    matrix = torch.from_numpy(dense).float()
    ours = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    weights = torch.arange(21.0).view(7, 3)
    (sparse.product(ours) * weights).sum().backward()
    ((matrix @ theirs) * weights).sum().backward()
    torch.testing.assert_close(sparse.product(ours), matrix @ theirs)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_thinned():
    dense = torch.tensor([[1.0, 0, 2], [0, 3, 0]])
    rows, columns = np.array([0, 1, 0]), np.array([2, 1, 0])
    sparse = SparseMatrix(rows, columns, np.array([2, 3, 1]), shape=(2, 3))
    assert sparse.entries == 3
    inputs = torch.eye(3, requires_grad=True)
    thin = sparse.thinned(torch.tensor([True, False, True]))
    found = thin.product(inputs)
    assert found.tolist() == [[1, 0, 2], [0, 0, 0]]
    found.sum().backward()
    assert inputs.grad.sum(dim=1).tolist() == [3, 0, 6]
    assert torch.equal(sparse.product(torch.eye(3)), dense)  # the whole matrix is as it was
