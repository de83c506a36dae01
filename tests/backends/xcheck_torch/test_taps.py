"""Taps in the graph of autograd: one use of a tensor apart from the others, before and after something is written."""

import numpy as np
import torch

from tests.backends.xcheck_torch.traced import randn
from xcheck_torch.taps import Graph


def test_uses_are_told_apart() -> None:
    """What arrives at a tensor is the sum of what its uses hand down."""
    graph, x = Graph(), randn(3).requires_grad_()
    whole = graph.tap_output(y := x * 2)
    (one, first), (other, second) = graph.tap_use(y), graph.tap_use(y)
    (one.sum() + 3 * other.sum()).backward()
    found = [graph.cotangents.read(key, (3,), 1.0) for key in (first, second, whole)]
    np.testing.assert_array_equal(found, [[1.0] * 3, [3.0] * 3, [4.0] * 3])


def test_writing_into_a_view() -> None:
    """What was there before, and what is there afterwards, are different values, whoever reads them."""
    graph, x = Graph(), randn(2, 3).requires_grad_()
    y = x * 1
    row = y[0]
    before = graph.tap_before_writing(row)
    row.mul_(5)
    after = graph.tap_output(row, is_written=True)
    (y.sum() + row.sum()).backward()
    np.testing.assert_array_equal(graph.cotangents.read(after, (3,), 1.0), [2.0] * 3)
    np.testing.assert_array_equal(graph.cotangents.read(before, (3,), 1.0), [10.0] * 3)


def test_behind_a_cut() -> None:
    """A tensor without a graph has one beside the program, until something is written into it."""
    graph, x = Graph(), randn(3)
    key = graph.tap_output(x)
    used, use = graph.tap_use(x)
    (used * 4).sum().backward()
    for one in (key, use):
        np.testing.assert_array_equal(graph.cotangents.read(one, (3,), 2.0), [2.0] * 3)
    known = graph.beside(x)
    x.add_(1)
    assert graph.beside(x) is not known


def test_sparse_gradients() -> None:
    """They arrive as what they stand for; nothing arrives as zeros."""
    graph, x = Graph(), randn(3, 2).requires_grad_()
    used, key = graph.tap_use(x)
    torch.nn.functional.embedding(torch.tensor([2, 2]), used, sparse=True).sum().backward()
    np.testing.assert_array_equal(graph.cotangents.read(key, (3, 2), 1.0), [[0, 0], [0, 0], [2, 2]])
    np.testing.assert_array_equal(graph.cotangents.read(None, (2,), 1.0), [0, 0])
