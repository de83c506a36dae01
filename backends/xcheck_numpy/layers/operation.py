"""Operation: the forward and the backward half of one kind of layer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from xcheck_numpy.activations import Array

# The tensors of one layer by their names without its number, such as "W".
Tensors: TypeAlias = Mapping[str, Array]
# layer, tensors, x -> y and what the backward half needs.
Forward: TypeAlias = Callable[[Any, Tensors, Array], tuple[Array, Any]]
# layer, tensors, what was kept, Δ -> ∂/∂x, ∂/∂tensors.
Backward: TypeAlias = Callable[[Any, Tensors, Any, Array], tuple[Array, dict[str, Array]]]


@dataclass(frozen=True, slots=True)
class Operation:
    """Both halves of an operation, for arrays of shape (m, ...)."""

    forward: Forward
    backward: Backward
