"""The graph below a tensor: each node once, also where paths meet again."""

import torch

from xcheck_torch.graph import nodes_below


def test_every_node_is_met_once() -> None:
    """x is used three times, and so is what is computed from it."""
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    names = sorted(node.name() for node in nodes_below((y * y + x).sum()))
    assert names == ["AddBackward0", "MulBackward0", "MulBackward0", "SumBackward0", "torch::autograd::AccumulateGrad"]


def test_a_constant_has_no_graph() -> None:
    """Nothing was recorded."""
    assert list(nodes_below(torch.ones(2))) == []
