"""The judge: numerical gradients of J from its values alone, in float64.

Engines (how many perturbed losses at once) and estimators (which steps, which combination, which bar) are separate;
`numerical_gradient` puts the two together for a problem.
"""

from xcheck.oracle.engine import Differences, Engine, EngineName
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.function_engine import LoopEngine
from xcheck.oracle.gradient import numerical_gradient, planned_differences
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
