"""Caveats about precision: fewer digits than were asked for, on the way or in the result.

Rounding to float32 is an error of up to 6e-8, which the default tolerance of 1e-7 accepts.
"""

import numpy as np

from xcheck.caveats.point import CheckedPoint
from xcheck.compare.evaluation import Evaluation
from xcheck.findings import FLOAT32_INSIDE, ILL_CONDITIONED, Finding
from xcheck.layout import Vector
from xcheck.oracle import Estimate

# Numbers of so few binary digits are exact results (0, 1, small integers), or of a type shorter than float32. A guess:
# half of its 24 digits, one more than float16 has.
_SHORT = 12


def float32_inside(point: CheckedPoint) -> Finding | None:
    """Name the witnesses that give float32 numbers only, and further from the oracle than float64 would be."""
    # What was asked for in float32 may be in float32.
    if point.dtype != "float64":
        return None
    single = {evaluation.name: _what_is_float32(evaluation, point.estimate) for evaluation in point.evaluations}
    if not any(single.values()):
        return None
    where = ", ".join(f"{what} of {name}" for name, what in single.items() if what)
    text = (
        f"less precise than float64: every number of the {where} is a float32 number, and further from the oracle "
        "than float64 would be, so only seven digits are checked; remove the cast, or ask for dtype = 'float32'"
    )
    return Finding(code=FLOAT32_INSIDE, text=text, value=float(sum(bool(what) for what in single.values())))


def _what_is_float32(evaluation: Evaluation, estimate: Estimate) -> str:
    gradient, loss = evaluation.gradient, np.array([evaluation.loss])
    outside = np.maximum(estimate.lower - gradient, gradient - estimate.upper)
    parts = {
        # Zeros and small whole numbers are float32 numbers, too: only what is wrong for float64 is suspect.
        "loss": _is_float32(loss) and abs(evaluation.loss - estimate.loss) > estimate.rounding.loss,
        "gradient": _is_float32(gradient) and bool((outside > estimate.error_bar + estimate.rounding.gradient).any()),
    }
    return " and ".join(what for what, single in parts.items() if single)


@np.errstate(all="ignore")
def _is_float32(values: Vector) -> bool:
    """Return whether all numbers are float32 numbers, and some of them use its digits."""
    if not np.array_equal(values, values.astype(np.float32)):
        return False
    digits = np.frexp(values)[0] * 2.0**_SHORT
    return bool((digits != np.round(digits)).any())


def noisy_as_narrow_dtype(label: str, roundoff: float, estimate: Estimate) -> Finding:
    """Say that the loss is as noisy as a narrow dtype, and where that may come from.

    Args:
        label: of the function.
        roundoff: unit roundoff of the dtype that has this noise.
        estimate: the oracle's gradient.
    """
    dtype = "float32" if roundoff < 2.0**-20 else "half precision"
    # The widest bar shows what the noise costs; those that are not finite have reasons of their own.
    bar = float(np.nan_to_num(estimate.error_bar).max(initial=0.0))
    text = (
        f"{label}: the loss is less precise than float64: its noise is that of {dtype}, and small mistakes do not show "
        f"(error bars up to {bar:.1g}); look for a cast to {dtype}, for iterations that stop at a tolerance, or for a "
        "loss that is ill-conditioned"
    )
    return Finding(code=FLOAT32_INSIDE, text=text, value=bar)


def ill_conditioned(label: str, count: int, of: int, apart: float) -> Finding:
    """Say that a gradient is right in float64, and off by more than rounding should be in its own dtype.

    Args:
        label: of the function.
        count: how many components are off.
        of: how many there are.
        apart: by how much, at most.
    """
    text = (
        f"{label}: {count} of {of} components are off by more than rounding explains (up to {apart:.1g}), but agree "
        "when the function is called in float64: it is ill-conditioned, or part of it is computed in a narrower dtype"
    )
    return Finding(code=ILL_CONDITIONED, text=text, value=apart)
