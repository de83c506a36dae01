"""The oracle: numerical gradients of J from its values alone, in float64.

Engines evaluate perturbed losses, many at once. Estimators choose steps, and make derivatives with error bars of the
differences. `numerical_gradient` puts the two together for a network.
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
