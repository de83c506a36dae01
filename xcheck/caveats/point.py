"""Point: θ and all that a check has found out about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from xcheck.caveats.layers import LayerState
from xcheck.compare.coverage import TensorCoverage
from xcheck.compare.evaluation import Evaluation
from xcheck.dtypes import DtypeName
from xcheck.networks.problem import Problem
from xcheck.oracle import Estimate

_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckedPoint:
    """What the doubts are about.

    Attributes:
        problem: the network with its data at θ.
        estimate: the oracle's gradient.
        layers: sizes of activations and gradients, layer by layer.
        tensors: what is proved about each tensor.
        evaluations: what the witnesses say.
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


def few(things: Sequence[object]) -> str:
    """Return the first of them, and how many there are beyond.

    >>> few([3, 11]), few(range(100))
    ('3, 11', '0, 1, 2, 3 and 96 more')
    """
    shown = ", ".join(str(thing) for thing in things[:_SHOWN])
    return shown if len(things) <= _SHOWN else f"{shown} and {len(things) - _SHOWN} more"
