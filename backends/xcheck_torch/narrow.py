"""Whether anything in a loss is computed in fewer than 64 bits, although it was asked for in 64."""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_WIDE = (torch.float64, torch.complex128)


class WatchedDtypes(TorchDispatchMode):  # type: ignore[misc]  # torch has no types here
    """Notes narrow floating tensors among the results of all operations.

    Attributes:
        narrow: whether there was one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.narrow = False

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call an operation, and look at what it returns."""
        results = function(*args, **(kwargs or {}))
        tensors = [each for each in tree_leaves(results) if isinstance(each, Tensor)]
        floating = [each for each in tensors if each.is_floating_point() or each.is_complex()]
        self.narrow |= any(each.dtype not in _WIDE for each in floating)
        return results


class WatchedExits(TorchFunctionMode):  # type: ignore[misc]  # torch has no types here
    """Notes that numbers leave torch, where nobody knows what becomes of them.

    Attributes:
        left: whether they do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.left = False

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function."""
        self.left |= function in (Tensor.numpy, Tensor.__array__, Tensor.tolist, Tensor.__dlpack__)
        return function(*args, **(kwargs or {}))
