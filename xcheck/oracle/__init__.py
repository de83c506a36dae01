"""The judge: numerical gradients of J from its values alone, in float64.

Engines (how many perturbed losses at once) and estimators (which steps, which combination, which bar) are separate;
`numerical_gradient` puts the two together for a problem.
"""

from xcheck.oracle.engines.base import Differences, Engine, EngineName
from xcheck.oracle.engines.function import LoopEngine
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.network_gradient import numerical_gradient, planned_differences
from xcheck.oracle.options import OracleOptions

__all__ = [
    "Differences",
    "Engine",
    "EngineName",
    "Estimate",
    "LoopEngine",
    "OracleOptions",
    "numerical_gradient",
    "planned_differences",
]
