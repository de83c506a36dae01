"""OracleOptions: how the numerical gradient is taken."""

from dataclasses import dataclass
from typing import Literal

from xcheck.dtypes import DtypeName
from xcheck.oracle.engines.base import EngineName
from xcheck.oracle.estimators.central import DifferenceName


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleOptions:
    """How the numerical gradient is taken.

    Attributes:
        epsilon: the fixed step of the lecture notes, or "auto": fourth order, step chosen per component.
        difference: "central", or "forward" for teaching; then "auto" is √u.
        tolerance: relative tolerance of the check; bars much wider than it are refined.
        device: "cpu" or "gpu"; float64 on both.
        dtype: what the witnesses compute in: decides when rounding alone may put a unit on either side of a kink.
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
        """Whether steps are chosen and extrapolated, or one fixed step is taken as it is."""
        return self.epsilon == "auto" and self.difference == "central"
