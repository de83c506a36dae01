"""The graph that autograd differentiates, below a tensor."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor


def nodes_below(value: Tensor) -> Iterator[Any]:
    """Yield each node of the graph below a tensor once."""
    seen, left = set(), [value.grad_fn]
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        left += [below for below, _ in node.next_functions]
        yield node
