"""Whether anything in a loss is computed in fewer than 64 bits, although it was asked for in 64."""

from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from xcheck.dtypes import FLOAT64, roundoff_of

# By these numbers leave torch.
EXITS = (Tensor.numpy, Tensor.__array__, Tensor.tolist, Tensor.__dlpack__)


class WatchedDtypes(TorchDispatchMode):  # type: ignore[misc]  # torch has no types here
    """Notes narrow floating tensors among the results of all operations.

    Attributes:
        coarsest: the largest unit roundoff of one of them; 0 if there was none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.coarsest = 0.0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call an operation, and look at what it returns."""
        results = function(*args, **(kwargs or {}))
        tensors = [each for each in tree_leaves(results) if isinstance(each, Tensor)]
        floating = [each for each in tensors if each.is_floating_point() or each.is_complex()]
        found = [roundoff_of(str(each.dtype).removeprefix("torch.")) for each in floating]
        self.coarsest = max([self.coarsest, *(roundoff for roundoff in found if roundoff > FLOAT64)])
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
        self.left |= function in EXITS
        return function(*args, **(kwargs or {}))
