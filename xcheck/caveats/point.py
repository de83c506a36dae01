"""Point: θ and all that a check has found out about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from xcheck.caveats.layers import LayerState
from xcheck.compare.coverage import TensorCoverage
from xcheck.compare.evaluation import Evaluation
from xcheck.dtypes import DtypeName
from xcheck.networks.problem import Problem
from xcheck.oracle import Estimate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckedPoint:
    """A declared network at θ, and what a check has found out about it.

    Attributes:
        problem: the network with its data at θ.
        estimate: the oracle's gradient.
        layers: sizes of activations and gradients, layer by layer.
        tensors: what is covered of each tensor.
        evaluations: loss and gradient of each witness.
        dtype: what they were asked to compute in.
        tolerance: relative, per component, as it was applied.
        constant: how many features were called constant already when the data were read.
    """

    problem: Problem
    estimate: Estimate
    layers: Sequence[LayerState]
    tensors: Sequence[TensorCoverage]
    evaluations: Sequence[Evaluation]
    dtype: DtypeName
    tolerance: float
    constant: int = 0
