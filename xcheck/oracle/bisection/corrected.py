"""A gradient in which components that are found to be wrong are replaced by measurements."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.bisection.blocks import Block
from xcheck.oracle.bisection.derivative import DirectionalDerivative
from xcheck.oracle.columns import Indices


class Measured(NamedTuple):
    """One component of ∇J, measured by itself."""

    value: float
    bar: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """How far a gradient may be off in addition to the bar of the oracle.

    Attributes:
        relative: in units of its own norm.
        floor: absolutely, for each component and each block.
    """

    relative: float = 1e-7
    floor: float = 0.0


class CorrectedGradient:
    """A gradient g, corrected as wrong components are found; the caller's own is kept as it is.

    Attributes:
        found: errors of the components that were found to be wrong, by flat indices, in the order of their discovery.
        corrected: what replaces components of g, by their flat indices; more than were found where some were known.

    Args:
        gradient: g, finite, shape (n,).
        measure: measures components of ∇J one by one.
        allowance: how far g may be off.
        known: components in which g is known to be wrong, as they were measured.
    """

    def __init__(
        self,
        gradient: Vector,
        measure: Callable[[Indices], Sequence[Measured]],
        allowance: Allowance,
        known: dict[int, Measured],
    ) -> None:
        self._gradient, self._measure, self._allowance = gradient.copy(), measure, allowance
        self.corrected: dict[int, Measured] = {}
        self.found: dict[int, float] = {}
        for flat, measured in known.items():
            self._correct(flat, measured)

    def residual(self, row: Vector, block: Block, slope: DirectionalDerivative) -> tuple[float, float]:
        """Return r = v·g - ∇J·v along a part of a direction, and the largest |r| that a correct gradient may have.

        Args:
            row: v, shape (n,).
            block: the part of it.
            slope: ∇J·v along that part.
        """
        part = slice(block.start, block.stop)
        v, g = row[part], self._gradient[part]
        # Where g was replaced by a measurement, r is uncertain by that measurement's bar.
        inside = (flat for flat in self.corrected if block.start <= flat < block.stop)
        doubt = sum(self.corrected[flat].bar * abs(float(row[flat])) for flat in inside)
        allowed = self._allowance.relative * float(np.linalg.norm(g[v != 0])) + self._allowance.floor
        return float(v @ g) - slope.value, slope.bar + doubt + allowed

    def accept(self, places: Sequence[int]) -> bool:
        """Measure components, correct those that are wrong, and return whether there are any.

        What was corrected already cannot be wrong again: who asks for it has lost the way.
        """
        wrong = self.measure_wrong(places)
        for flat, measured in wrong.items():
            self.found[flat] = float(self._gradient[flat]) - measured.value
            self._correct(flat, measured)
        return bool(wrong)

    def measure_wrong(self, places: Sequence[int]) -> dict[int, Measured]:
        """Measure components, and return those that are wrong; what was corrected is not measured again."""
        new = [flat for flat in dict.fromkeys(places) if flat not in self.corrected]
        found = zip(new, self._measure(np.array(new, dtype=np.intp)), strict=True)
        return {flat: measured for flat, measured in found if self._is_off(flat, measured)}

    def _is_off(self, flat: int, measured: Measured) -> bool:
        claimed = float(self._gradient[flat])
        allowed = measured.bar + self._allowance.relative * max(abs(claimed), abs(measured.value))
        return abs(claimed - measured.value) > allowed + self._allowance.floor

    def _correct(self, flat: int, measured: Measured) -> None:
        self._gradient[flat] = measured.value
        self.corrected[flat] = measured
