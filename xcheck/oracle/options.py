"""Options of the numerical gradient, of a network and of a function."""

from dataclasses import dataclass
from typing import Literal

from xcheck.dtypes import DtypeName
from xcheck.oracle.engines.base import EngineName
from xcheck.oracle.estimators.central import DifferenceName

ScopeName = Literal["auto", "all", "sample", "directions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleOptions:
    """Options of the numerical gradient of a network.

    Attributes:
        epsilon: the fixed step of the lecture notes, or "auto": fourth order, step chosen per component.
        difference: "central", or "forward" for teaching; then "auto" is √u.
        tolerance: relative tolerance of the check; bars much wider than it are refined.
        device: "cpu" or "gpu"; float64 on both.
        dtype: what the witnesses compute in; it decides which units rounding may put on either side of a kink.
        memory: bytes that perturbed networks may take up at a time.
        engine: how perturbed losses are evaluated, or "auto".
        budget: seconds that "auto" lets an engine take before it turns to a faster, less direct one.
    """

    epsilon: float | Literal["auto"] = "auto"
    difference: DifferenceName = "central"
    tolerance: float = 1e-7
    device: str = "cpu"
    dtype: DtypeName = "float64"
    memory: int = 1 << 30
    engine: EngineName = "auto"
    budget: float = 10.0

    @property
    def extrapolates(self) -> bool:
        """Whether steps are chosen and extrapolated; else one fixed step is taken as it is."""
        return self.epsilon == "auto" and self.difference == "central"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOptions:
    """Options of the numerical gradient of a function.

    Attributes:
        epsilon: "auto", or the fixed step of the lecture notes.
        tolerance: relative tolerance that gradients will be held to.
        scope: all components, a sample with random directions, directions alone, or whichever fits the budget.
        budget: seconds.
        seed: of the sample and of the directions.
        including: components that a sample includes in any case.
    """

    epsilon: float | Literal["auto"] = "auto"
    tolerance: float = 1e-7
    scope: ScopeName = "auto"
    budget: float = 10.0
    seed: int = 0
    including: tuple[int, ...] = ()
